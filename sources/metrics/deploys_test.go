package metrics_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// told answers the two questions of Deploys.
type told struct {
	world
	builds, controllers, more []metrics.Series
}

func (d *told) Ask(_ context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	return []metrics.Answer{{Series: d.builds}, {Series: d.controllers}, {Series: d.more}}[:len(queries)], nil
}

func deploys(t *testing.T, d *told, rules ...metrics.VersionRule) []sources.Deploy {
	t.Helper()
	plan, err := metrics.Config{Versions: rules}.Compile()
	require.NoError(t, err)
	list, err := plan.Deploys(t.Context(), "prom", d)
	require.NoError(t, err)
	return list
}

func build(n float64, service, version string) metrics.Series {
	return at(n, "__name__", "app_build_info", "service", service, "version", version)
}

func TestWhatRunsIsCountedByVersionAndTheNewestIsSaidFirst(t *testing.T) {
	t.Parallel()
	list := deploys(t, &told{builds: []metrics.Series{
		build(3, "payment", "2.9.0"), build(9, "payment", "2.10.0"), build(4, "search", "7"),
		at(12, "__name__", "go_build_info", "service", "payment", "version", "(devel)"),
	}})
	require.Len(t, list, 2)
	require.Equal(t, "2.10.0 on 9/12", list[0].Brief())
	require.True(t, list[0].Rolling())
	require.Equal(t, "7 on 4/4", list[1].Brief())
	require.False(t, list[1].Rolling())
}

func TestControllersOfRolloutsSayHowFarTheyHaveCome(t *testing.T) {
	t.Parallel()
	list := deploys(t, &told{controllers: []metrics.Series{
		at(3, "__name__", "kube_deployment_status_replicas_updated", "deployment", "web"),
		at(10, "__name__", "kube_deployment_spec_replicas", "deployment", "web"),
		at(5, "__name__", "kube_deployment_status_replicas_updated", "deployment", "still"),
		at(5, "__name__", "kube_deployment_spec_replicas", "deployment", "still"),
		at(25, "__name__", "flagger_canary_weight", "workload", "cart"),
		at(75, "__name__", "flagger_canary_weight", "workload", "cart-primary"),
		at(1, "__name__", "rollout_info", "name", "pay", "phase", "Paused"),
		at(0, "__name__", "rollout_info", "name", "pay", "phase", "Healthy"),
	}})
	var said []string
	for i := range list {
		said = append(said, list[i].Service+": "+list[i].Brief())
	}
	require.Equal(t, []string{"cart: canary 25%", "pay: paused", "web: 3/10 updated"}, said, "what stands still is no deploy")
}

func TestALogKnowsWhenAVersionCameAndWhatItReplaced(t *testing.T) {
	t.Parallel()
	var log metrics.DeployLog
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	note := func(minute int, versions ...string) []sources.Deploy {
		d := sources.Deploy{Service: "payment"}
		for _, v := range versions {
			d.Versions = append(d.Versions, sources.Running{Version: v, Instances: 1})
		}
		list := []sources.Deploy{d}
		log.Note(list, start.Add(time.Duration(minute)*time.Minute))
		return list
	}
	note(0, "1.0")
	require.Empty(t, log.Changes(), "what was there before anybody looked is no change")
	list := note(5, "1.0", "1.1")
	require.Equal(t, "1.1", list[0].Versions[0].Version)
	require.Equal(t, start.Add(5*time.Minute), list[0].Versions[0].Since)
	note(9, "1.1")
	note(12, "1.0", "1.1")
	require.Equal(t, []sources.Deployed{
		{Service: "payment", Old: "1.0", New: "1.1", At: start.Add(5 * time.Minute)},
		{Service: "payment", Old: "1.1", New: "1.0", At: start.Add(12 * time.Minute)},
	}, log.Changes(), "a rollback is a deploy as well")
	list = note(13, "1.0", "1.1")
	require.Equal(t, "1.0", list[0].Versions[0].Version, "the newest is what came last, whatever its number")
}

func TestANamespaceTellsTwoDeploymentsOfOneNameApart(t *testing.T) {
	t.Parallel()
	info := func(n float64, namespace, version string) metrics.Series {
		return at(n, "__name__", "app_build_info", "job", "web", "namespace", namespace, "version", version)
	}
	replicas := func(kind string, n float64, labels ...string) metrics.Series {
		return at(n, append([]string{"__name__", "kube_deployment_" + kind, "deployment", "web"}, labels...)...)
	}
	list := deploys(t, &told{
		builds: []metrics.Series{info(3, "shop", "2.1"), info(1, "shop", "2.0"), info(2, "bank", "7")},
		controllers: []metrics.Series{
			replicas("status_replicas_updated", 3, "namespace", "shop"), replicas("spec_replicas", 4, "namespace", "shop"),
			// As a server has it that keeps its own label for the exporter's namespace.
			replicas("status_replicas_updated", 2, "namespace", "monitoring", "exported_namespace", "bank"), replicas("spec_replicas", 2, "namespace", "monitoring", "exported_namespace", "bank"),
		},
	})
	require.Len(t, list, 2)
	require.Equal(t, "bank/web: 7 on 2/2", list[0].Service+": "+list[0].Brief())
	require.Equal(t, "shop/web: 2.1 on 3/4, 3/4 updated", list[1].Service+": "+list[1].Brief())
	require.True(t, list[0].Of("web"))
	require.True(t, list[0].Of("bank/web"))
	require.False(t, list[0].Of("shop/web"))

	one := deploys(t, &told{
		builds:      []metrics.Series{build(1, "web", "2.1"), build(1, "web", "2.0")},
		controllers: []metrics.Series{replicas("status_replicas_updated", 1, "namespace", "shop"), replicas("spec_replicas", 2, "namespace", "shop")},
	})
	require.Len(t, one, 1, "where only one can be meant the program need not say its namespace")
	require.Equal(t, "web: 2.1 on 1/2, 1/2 updated", one[0].Service+": "+one[0].Brief())
}

func TestAMetricOfTheConfigSaysWhichVersionsRunAsABuildInfoDoes(t *testing.T) {
	t.Parallel()
	image := func(n float64, container, image string) metrics.Series {
		return at(n, "container", container, "image", image, "namespace", "shop")
	}
	list := deploys(t, &told{
		builds: []metrics.Series{build(4, "search", "7")},
		more: []metrics.Series{
			image(9, "web", "registry:5000/shop/web:2.14.1"), image(3, "web", "registry:5000/shop/web:2.14.0@sha256:ab"),
			image(1, "pinned", "shop/pinned@sha256:ab12"), image(2, "", "nameless:1"),
		},
	}, metrics.VersionRule{Metric: "kube_pod_container_info", Version: "image", Service: "container", Match: `namespace="shop"`})
	var said []string
	for i := range list {
		said = append(said, list[i].Service+": "+list[i].Brief())
	}
	require.Equal(t, []string{"pinned: sha256:ab12 on 1/1", "search: 7 on 4/4", "web: 2.14.1 on 9/12"}, said)
}
