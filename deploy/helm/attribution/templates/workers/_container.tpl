{{/* The containers of a worker's pod: `root`, `name` of the group and `group`, its values. */}}

{{- define "attribution.worker.env" -}}
{{- $group := .group -}}
{{- include "attribution.sharedEnv" (dict "root" .root "secret" ($group.storeSecret | default .root.Values.store.existingSecret)) }}
- name: ATTRIBUTION_GROUP
  value: {{ .name }}
{{- with $group.models }}
- name: ATTRIBUTION_SERVE
  value: {{ join "," . }}
{{- end }}
- name: ATTRIBUTION_MODELS
  value: /models
- name: ATTRIBUTION_MEASUREMENTS
  value: /var/lib/attribution
- name: ATTRIBUTION_DEVICE
  value: {{ ternary "cuda:0" "cpu" (gt (int $group.gpu.count) 0) }}
{{- if gt (int $group.gpu.count) 0 }}
- name: NVIDIA_DRIVER_CAPABILITIES
  value: compute,utility
{{- end }}
{{- if not (hasKey $group.settings "threads") }}
- name: ATTRIBUTION_THREADS  # else as many as the node has cores
  valueFrom:
    resourceFieldRef: {containerName: worker, resource: {{ ternary "limits.cpu" "requests.cpu" (hasKey ($group.resources.limits | default dict) "cpu") }}, divisor: "1"}
{{- end }}
- name: ATTRIBUTION_WORKERS_PER_DEVICE
  value: {{ include "attribution.text" $group.workersPerDevice | quote }}
- name: ATTRIBUTION_GRACE_S
  value: {{ include "attribution.text" $group.graceSeconds | quote }}
{{- include "attribution.settings" $group.settings }}
{{- with $group.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Requests and limits with the GPUs. */}}
{{- define "attribution.worker.resources" -}}
{{- $resources := deepCopy .resources -}}
{{- if gt (int .gpu.count) 0 -}}
{{- range list "requests" "limits" -}}
{{- $_ := set $resources . (set (index $resources . | default dict) $.gpu.resource (int64 $.gpu.count)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* The health check of the image: whether the worker in this container sends heartbeats. */}}
{{- define "attribution.worker.health" -}}
exec: {command: [attribution, worker, --health]}
periodSeconds: 15
timeoutSeconds: 10
{{- end -}}

{{- define "attribution.worker.volumes" -}}
{{- $repository := .group.modelRepository -}}
{{- include "attribution.sharedVolumes" (dict "root" .root "size" .group.tmpSize) }}
- name: measurements
  {{- if .group.measurements.newClaim }}
  persistentVolumeClaim: {claimName: {{ include "attribution.worker.name" . }}}
  {{- else if .group.measurements.claimName }}
  persistentVolumeClaim: {claimName: {{ .group.measurements.claimName }}}
  {{- else }}
  emptyDir: {sizeLimit: {{ .group.measurements.size }}}
  {{- end }}
{{- if eq $repository.source "persistentVolumeClaim" }}
- name: models
  persistentVolumeClaim: {claimName: {{ $repository.persistentVolumeClaim.claimName }}, readOnly: true}
{{- else if eq $repository.source "imageVolume" }}
- name: models
  image: {reference: {{ $repository.imageVolume.reference }}, pullPolicy: {{ $repository.imageVolume.pullPolicy }}}
{{- else if eq $repository.source "initContainer" }}
- name: models
  emptyDir: {sizeLimit: {{ $repository.initContainer.size }}}
- name: init-tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end }}
{{- end -}}

{{- define "attribution.worker.name" -}}
{{ include "attribution.fullname" .root }}-worker-{{ .name }}
{{- end -}}

{{/* The container that brings the models. */}}
{{- define "attribution.worker.init" -}}
- name: models
  image: {{ .image }}
  imagePullPolicy: {{ .pullPolicy }}
  securityContext:
    {{- include "attribution.containerSecurity" . | nindent 4 }}
  command:
    {{- toYaml .command | nindent 4 }}
  {{- with .args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  env:
    - {name: HOME, value: /tmp}
    {{- with .env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .envFromSecrets }}
  envFrom:
    {{- range . }}
    - secretRef: {name: {{ . }}}
    {{- end }}
  {{- end }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  volumeMounts:
    - {name: models, mountPath: /models}
    - {name: init-tmp, mountPath: /tmp}
{{- end -}}
