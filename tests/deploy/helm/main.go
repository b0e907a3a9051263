// Renders the chart with what Helm is made of, Go's text/template and sprig, where there is no helm. It adds what Helm adds:
// include, tpl, required, fail, lookup (which finds nothing), toYaml, fromYaml, toJson, fromJson, the objects Release, Chart,
// Values, Files, Capabilities and Template, values merged as Helm merges them, and errors for keys that are not there as
// `helm template` has them by default: none, but for `required` and `fail`. Not here: charts within charts, hooks.
//
// Usage: render [-name NAME] [-namespace NAME] [-service NAME] [-kube VERSION] CHART [VALUES...]
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

type files map[string][]byte

// Get is `.Files.Get`: empty for a file that is not there.
func (f files) Get(name string) string { return string(f[name]) }

// Glob is `.Files.Glob`.
func (f files) Glob(pattern string) (files, error) {
	found := files{}
	for name, content := range f {
		matches, err := filepath.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if matches {
			found[name] = content
		}
	}
	return found, nil
}

// Lines is `.Files.Lines`.
func (f files) Lines(name string) []string {
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}

type versions []string

// Has is `.Capabilities.APIVersions.Has`.
func (v versions) Has(name string) bool {
	for _, known := range v {
		if known == name {
			return true
		}
	}
	return false
}

func main() {
	name := flag.String("name", "asyncos-exporter", "of the release")
	namespace := flag.String("namespace", "monitoring", "of the release")
	service := flag.String("service", "Helm", "who manages the objects")
	kube := flag.String("kube", "v1.30.0", "version of Kubernetes")
	flag.Parse()
	if flag.NArg() < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := render(flag.Arg(0), flag.Args()[1:], *name, *namespace, *service, *kube); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(root string, overrides []string, name, namespace, service, kube string) error {
	all, err := load(root)
	if err != nil {
		return err
	}
	chart, err := object(all["Chart.yaml"])
	if err != nil {
		return fmt.Errorf("Chart.yaml: %w", err)
	}
	values, err := object(all["values.yaml"])
	if err != nil {
		return fmt.Errorf("values.yaml: %w", err)
	}
	for _, file := range overrides {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		more, err := object(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		values = merge(values, more)
	}
	upper := map[string]interface{}{}
	for key, value := range chart {
		upper[strings.ToUpper(key[:1])+key[1:]] = value
	}
	others := files{}
	var names []string
	for path, content := range all {
		if strings.HasPrefix(path, "templates/") {
			names = append(names, path)
		} else if path != "Chart.yaml" && path != "values.yaml" && path != "values.schema.json" {
			others[path] = content
		}
	}
	sort.Strings(names)
	context := map[string]interface{}{
		"Values": values,
		"Chart":  upper,
		"Files":  others,
		"Release": map[string]interface{}{
			"Name": name, "Namespace": namespace, "Service": service, "IsInstall": true, "IsUpgrade": false, "Revision": 1,
		},
		"Capabilities": map[string]interface{}{
			"KubeVersion": map[string]interface{}{"Version": kube}, "APIVersions": versions{"v1", "apps/v1"},
		},
	}
	set := template.New("chart").Option("missingkey=zero")
	set.Funcs(functions(set))
	for _, path := range names {
		if _, err := set.New(path).Parse(string(all[path])); err != nil {
			return err
		}
	}
	for _, path := range names {
		if strings.HasPrefix(filepath.Base(path), "_") {
			continue
		}
		context["Template"] = map[string]interface{}{"Name": path, "BasePath": "templates"}
		text, err := execute(set, path, context)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "NOTES.txt") {
			fmt.Fprint(os.Stderr, text)
			continue
		}
		for _, document := range separator.Split(text, -1) {
			if strings.TrimSpace(document) != "" {
				fmt.Printf("---\n# Source: %s/%s\n%s\n", chart["name"], path, strings.TrimSpace(document))
			}
		}
	}
	return nil
}

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// The files of a chart by their names in it; links are followed, as Helm does.
func load(root string) (files, error) {
	found := files{}
	var walk func(folder string) error
	walk = func(folder string) error {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			path := filepath.Join(folder, entry.Name())
			info, err := os.Stat(filepath.Join(root, path))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if info.IsDir() {
				err = walk(path)
			} else {
				found[filepath.ToSlash(path)], err = os.ReadFile(filepath.Join(root, path))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return found, walk("")
}

func object(text []byte) (map[string]interface{}, error) {
	found := map[string]interface{}{}
	err := yaml.Unmarshal(text, &found)
	return found, err
}

// Tables are merged key by key, null removes a key, everything else is replaced.
func merge(under, over map[string]interface{}) map[string]interface{} {
	merged := map[string]interface{}{}
	for key, value := range under {
		merged[key] = value
	}
	for key, value := range over {
		below, isTable := merged[key].(map[string]interface{})
		above, stays := value.(map[string]interface{})
		switch {
		case value == nil:
			delete(merged, key)
		case isTable && stays:
			merged[key] = merge(below, above)
		default:
			merged[key] = value
		}
	}
	return merged
}

func execute(set *template.Template, name string, context interface{}) (string, error) {
	var text bytes.Buffer
	if err := set.ExecuteTemplate(&text, name, context); err != nil {
		return "", err
	}
	// What Helm does about the words that text/template has for nothing.
	return strings.ReplaceAll(text.String(), "<no value>", ""), nil
}

func functions(set *template.Template) template.FuncMap {
	known := sprig.TxtFuncMap()
	delete(known, "env")
	delete(known, "expandenv")
	known["include"] = func(name string, context interface{}) (string, error) { return execute(set, name, context) }
	known["tpl"] = func(text string, context interface{}) (string, error) {
		copied, err := set.Clone()
		if err != nil {
			return "", err
		}
		if _, err := copied.New("tpl").Parse(text); err != nil {
			return "", err
		}
		return execute(copied, "tpl", context)
	}
	known["required"] = func(why string, value interface{}) (interface{}, error) {
		if text, isText := value.(string); value == nil || isText && text == "" {
			return nil, errors.New(why)
		}
		return value, nil
	}
	known["fail"] = func(why string) (string, error) { return "", errors.New(why) }
	known["lookup"] = func(string, string, string, string) map[string]interface{} { return map[string]interface{}{} }
	known["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(text), "\n")
	}
	known["fromYaml"] = func(text string) map[string]interface{} {
		found, err := object([]byte(text))
		if err != nil {
			return map[string]interface{}{"Error": err.Error()}
		}
		return found
	}
	known["toJson"] = func(value interface{}) string {
		text, err := json.Marshal(value)
		if err != nil {
			return ""
		}
		return string(text)
	}
	known["fromJson"] = func(text string) map[string]interface{} {
		found := map[string]interface{}{}
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			found["Error"] = err.Error()
		}
		return found
	}
	return known
}
