{{- define "asyncos-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for what Kubernetes appends to the names of pods. */}}
{{- define "asyncos-exporter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "asyncos-exporter.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "asyncos-exporter.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "asyncos-exporter.selector" -}}
app.kubernetes.io/name: {{ include "asyncos-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "asyncos-exporter.labels" -}}
{{ include "asyncos-exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "asyncos-exporter.metadata" -}}
name: {{ include "asyncos-exporter.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "asyncos-exporter.labels" . | nindent 2 }}
{{- end }}

{{- define "asyncos-exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "asyncos-exporter.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "asyncos-exporter.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{ .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "asyncos-exporter.scheme" -}}
{{- if and .Values.webConfig.secret .Values.webConfig.tls }}https{{ else }}http{{ end }}
{{- end }}

{{/* What stands before each path; empty without a prefix. */}}
{{- define "asyncos-exporter.prefix" -}}
{{- $path := default "" (get (urlParse .Values.web.externalUrl) "path") -}}
{{- $prefix := trimAll "/" (default $path .Values.web.routePrefix) -}}
{{- if $prefix }}/{{ $prefix }}{{ end }}
{{- end }}

{{/* A probe of a path. A web side with TLS or users of its own is asked by the exporter itself, which needs neither. */}}
{{- define "asyncos-exporter.probe" -}}
{{- $root := .root }}
{{- if $root.Values.webConfig.secret -}}
exec:
  command:
    - /asyncos_exporter
    - healthcheck
    - --url={{ include "asyncos-exporter.scheme" $root }}://127.0.0.1:{{ $root.Values.service.port }}{{ include "asyncos-exporter.prefix" $root }}{{ .path }}
{{- else -}}
httpGet: {path: {{ include "asyncos-exporter.prefix" $root }}{{ .path }}, port: http}
{{- end }}
{{ toYaml .timing }}
{{- end }}
