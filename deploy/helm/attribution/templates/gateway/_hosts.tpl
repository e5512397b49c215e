{{/* Every name by which something reaches the gateways: clients, pods of the cluster, and Prometheus. */}}
{{- define "attribution.gateway.hosts" -}}
{{- $name := include "attribution.gateway.name" . -}}
{{- $host := include "attribution.gateway.host" . -}}
{{- $inside := list $name (printf "%s.%s" $name .Release.Namespace) $host (printf "%s.cluster.local" $host) -}}
{{- $hosts := concat .Values.gateway.hosts $inside -}}
{{- if .Values.monitoring.serviceMonitor.enabled -}}
{{- $hosts = append $hosts "$(POD_IP)" -}}
{{- end -}}
{{- join "," $hosts -}}
{{- end -}}
