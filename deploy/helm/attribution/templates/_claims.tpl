{{/* The spec of a claim of `size`, `accessMode` and `storageClassName`. */}}
{{- define "attribution.claim" -}}
accessModes: [{{ .accessMode | default "ReadWriteOnce" }}]
{{- with .storageClassName }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests: {storage: {{ .size }}}
{{- end -}}
