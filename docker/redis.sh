#!/bin/sh
# Starts the job store of docker-compose.yml. The password comes from the environment and goes to the server through
# standard input, so that no list of processes shows it; exec, so that the server receives the container's signals.
exec redis-server - <<EOF
include /etc/attribution/redis.conf
requirepass ${REDIS_PASSWORD:?}
EOF
