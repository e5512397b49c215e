{{/* What all pods and containers have. */}}

{{/* The security context of a pod: `user` is its user and group. */}}
{{- define "attribution.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "attribution.containerSecurity" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* What the spec of each pod begins with. */}}
{{- define "attribution.podHead" -}}
serviceAccountName: {{ include "attribution.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Where a pod runs: `values`, with the selector of its own kind in `selector`. */}}
{{- define "attribution.placement" -}}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .values.spread }}
topologySpreadConstraints:
  {{- range .values.spread }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $.selector | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A setting as text. Helm reads every number as a float, which it would print as 1.6e+07. */}}
{{- define "attribution.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* The variables of a map of settings. */}}
{{- define "attribution.settings" -}}
{{- range $name, $value := . }}
- name: ATTRIBUTION_{{ upper $name }}
  value: {{ include "attribution.text" $value | quote }}
{{- end -}}
{{- end -}}

{{/* The variables that gateways and workers share: `root`, and `secret` of the store's URL. */}}
{{- define "attribution.sharedEnv" -}}
{{- $values := .root.Values -}}
{{- if .secret -}}
- name: ATTRIBUTION_REDIS_URL
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ $values.store.urlKey }}}
{{- else -}}
- name: STORE_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "attribution.store.name" .root }}, key: password}
- name: ATTRIBUTION_REDIS_URL
  value: redis://:$(STORE_PASSWORD)@{{ include "attribution.store.name" .root }}:6379/0
{{- end }}
{{- if $values.store.ca.existingSecret }}
- name: ATTRIBUTION_REDIS_CA
  value: /etc/attribution/store-ca/{{ $values.store.ca.key }}
{{- end }}
{{- if $values.store.clientCertificate.existingSecret }}
- name: ATTRIBUTION_REDIS_CERT
  value: /etc/attribution/store-client/tls.crt
- name: ATTRIBUTION_REDIS_KEY
  value: /etc/attribution/store-client/tls.key
{{- end }}
- name: ATTRIBUTION_NAMESPACE
  value: {{ $values.store.namespace | quote }}
- name: ATTRIBUTION_RESULT_TTL_S
  value: {{ include "attribution.text" $values.store.resultTtlSeconds | quote }}
- name: ATTRIBUTION_LOG_LEVEL
  value: {{ $values.log.level }}
- name: ATTRIBUTION_LOG_FORMAT
  value: {{ $values.log.format }}
{{- end -}}

{{- define "attribution.sharedMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.store.ca.existingSecret }}
- name: store-ca
  mountPath: /etc/attribution/store-ca
  readOnly: true
{{- end }}
{{- if .Values.store.clientCertificate.existingSecret }}
- name: store-client
  mountPath: /etc/attribution/store-client
  readOnly: true
{{- end }}
{{- end -}}

{{/* The volumes behind them: `root`, and `size` of /tmp. */}}
{{- define "attribution.sharedVolumes" -}}
- name: tmp
  emptyDir: {sizeLimit: {{ .size }}}
{{- with .root.Values.store.ca.existingSecret }}
- name: store-ca
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .root.Values.store.clientCertificate.existingSecret }}
- name: store-client
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}
