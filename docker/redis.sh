#!/bin/sh
# Starts the job store of docker-compose.yml. The server reads the password from standard input, so no list of
# processes shows it. exec makes the server receive the container's signals.
exec redis-server - <<EOF
include /etc/attribution/redis.conf
requirepass ${REDIS_PASSWORD:?}
EOF
