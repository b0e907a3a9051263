// Serves the series of a page as exporters in Go do it: a collector of constant metrics, gathered, sorted, written and
// compressed in each scrape by client_golang. Arguments: the page in the text format, the address to listen on.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

type series struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	value  float64
	labels []string
}

type collector []series

// Describes nothing, as collectors do that learn from elsewhere what there is.
func (collector) Describe(chan<- *prometheus.Desc) {}

func (all collector) Collect(metrics chan<- prometheus.Metric) {
	for _, one := range all {
		metrics <- prometheus.MustNewConstMetric(one.desc, one.kind, one.value, one.labels...)
	}
}

func read(path string) collector {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(file)
	if err != nil {
		log.Fatal(err)
	}
	var all collector
	for name, family := range families {
		descs := map[string]*prometheus.Desc{}
		for _, metric := range family.Metric {
			var names, values []string
			key := ""
			for _, pair := range metric.Label {
				names = append(names, pair.GetName())
				values = append(values, pair.GetValue())
				key += pair.GetName() + ","
			}
			desc, known := descs[key]
			if !known {
				desc = prometheus.NewDesc(name, family.GetHelp(), names, nil)
				descs[key] = desc
			}
			one := series{desc, prometheus.GaugeValue, metric.GetGauge().GetValue(), values}
			if family.GetType() == dto.MetricType_COUNTER {
				one.kind, one.value = prometheus.CounterValue, metric.GetCounter().GetValue()
			}
			all = append(all, one)
		}
	}
	return all
}

func main() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(read(os.Args[1]))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	listener, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
