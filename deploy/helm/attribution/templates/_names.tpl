{{/* Names, labels and images. */}}

{{- define "attribution.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "attribution.gateway.name" -}}
{{ include "attribution.fullname" . }}-gateway
{{- end -}}

{{- define "attribution.store.name" -}}
{{ include "attribution.fullname" . }}-store
{{- end -}}

{{/* The host of the gateways inside the cluster. */}}
{{- define "attribution.gateway.host" -}}
{{ include "attribution.gateway.name" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{/* Labels that never change: `root`, `component`, and `group` of workers. */}}
{{- define "attribution.selector" -}}
app.kubernetes.io/name: attribution
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .group }}
attribution/group: {{ . }}
{{- end }}
{{- end -}}

{{- define "attribution.labels" -}}
{{ include "attribution.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The reference of an image: `root` and `image`. */}}
{{- define "attribution.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The values of the group `name`, as YAML: what it says itself, else the defaults of all groups. */}}
{{- define "attribution.group" -}}
{{- mergeOverwrite (deepCopy .root.Values.groupDefaults) (deepCopy (index .root.Values.groups .name | default dict)) | toYaml -}}
{{- end -}}
