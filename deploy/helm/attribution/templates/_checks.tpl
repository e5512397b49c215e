{{/* Values that are right one by one, and wrong together. */}}

{{- define "attribution.checks" -}}
{{- $values := .Values -}}
{{- if and $values.valkey.enabled $values.store.existingSecret -}}
{{- fail "store.existingSecret names a store of yours: set valkey.enabled=false" -}}
{{- end -}}
{{- if not (or $values.valkey.enabled $values.store.existingSecret) -}}
{{- fail "store.existingSecret: name a Secret with the store's URL, or try the service out with valkey.enabled=true" -}}
{{- end -}}
{{- if and $values.valkey.enabled (not $values.valkey.password) -}}
{{- fail "valkey.password: choose one" -}}
{{- end -}}
{{- if not $values.groups -}}
{{- fail "groups: name at least one group of workers" -}}
{{- end -}}
{{- if and $values.gateway.ingress.enabled (not $values.gateway.ingress.hosts) -}}
{{- fail "gateway.ingress.hosts: name the hosts of the Ingress" -}}
{{- end -}}
{{- if and $values.gateway.httpRoute.enabled (not $values.gateway.httpRoute.parentRefs) -}}
{{- fail "gateway.httpRoute.parentRefs: name the Gateway that the route belongs to" -}}
{{- end -}}
{{- range $name, $_ := $values.groups -}}
{{- include "attribution.checks.group" (dict "root" $ "name" $name) -}}
{{- end -}}
{{- end -}}

{{- define "attribution.checks.group" -}}
{{- $values := .root.Values -}}
{{- $group := include "attribution.group" . | fromYaml -}}
{{- $repository := $group.modelRepository -}}
{{- if $group.scaling.enabled -}}
{{- if lt (int $group.scaling.maxReplicas) (int (max 1 (int $group.scaling.minReplicas))) -}}
{{- fail (printf "groups.%s.scaling.maxReplicas: must be at least 1, and at least minReplicas" .name) -}}
{{- end -}}
{{- if and (eq $values.scaling.scaler "prometheus") (not $values.scaling.prometheusAddress) -}}
{{- fail "scaling.prometheusAddress: the scaler prometheus needs it" -}}
{{- end -}}
{{- if and $values.keys.existingSecret (eq $values.scaling.scaler "metrics-api") (not $values.keys.metrics.existingSecret) -}}
{{- fail "keys.metrics.existingSecret: with a file of keys KEDA needs one of scope metrics" -}}
{{- end -}}
{{- end -}}
{{- if and (eq $repository.source "persistentVolumeClaim") (not $repository.persistentVolumeClaim.claimName) -}}
{{- fail (printf "groups.%s.modelRepository.persistentVolumeClaim.claimName: name the claim with the models" .name) -}}
{{- end -}}
{{- if and (eq $repository.source "imageVolume") (not $repository.imageVolume.reference) -}}
{{- fail (printf "groups.%s.modelRepository.imageVolume.reference: name the image with the models" .name) -}}
{{- end -}}
{{- if and (eq $repository.source "initContainer") (not (and $repository.initContainer.image $repository.initContainer.command)) -}}
{{- fail (printf "groups.%s.modelRepository.initContainer: needs an image and a command" .name) -}}
{{- end -}}
{{- if and $group.measurements.claimName $group.measurements.newClaim -}}
{{- fail (printf "groups.%s.measurements: give claimName or newClaim, not both" .name) -}}
{{- end -}}
{{- if and (not $group.storeSecret) $values.valkey.enabled $values.store.ca.existingSecret -}}
{{- fail "store.ca: the Valkey of the chart is not encrypted" -}}
{{- end -}}
{{- end -}}
