{{/* The formula that adds so many triggers. */}}
{{- define "attribution.sum" -}}
{{- $terms := list -}}
{{- range $index := until (int .) -}}
{{- $terms = append $terms (printf "model_%d" $index) -}}
{{- end -}}
{{- join " + " $terms -}}
{{- end -}}
