"""Renders the chart with each file of values that comes with it, and the manifests that are made from it, and judges them:
by the schemas of Kubernetes, by those of the operator's kinds, and by rules of our own.

Usage: check.py RENDER BINARY [--update]

RENDER is the program made from main.go, BINARY the exporter. With --update the manifests are written, not compared.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
from kubernetes_validate.utils import all_versions
import yaml

CHART = pathlib.Path("deploy/helm/asyncos-exporter")
PLAIN = pathlib.Path("deploy/kubernetes")
CRDS = json.loads(pathlib.Path("tests/deploy/helm/crds.json").read_text())
VERSIONS = all_versions()
VERSIONS = sorted({version.split("-")[0] for version in VERSIONS}, key=lambda v: [int(part) for part in v.split(".")])
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]
PROBED = {"/-/ready", "/-/healthy"}

problems = []
counts = {"renderings": 0, "objects": 0, "validations": 0, "configurations": 0}


def complain(place, what):
    problems.append(f"{place}: {what}")


class Strict(yaml.SafeLoader):
    """Keys that come twice are an error, as they are for the server."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: twice: {', '.join(map(str, twice))}")
        return super().construct_mapping(node, deep)


def render(binary, *arguments):
    ran = subprocess.run([binary, *arguments], capture_output=True, text=True)
    return ran.returncode, ran.stdout, ran.stderr


def judge(place, text, exporter):
    objects = [thing for thing in yaml.load_all(text, Strict) if thing]
    counts["renderings"] += 1
    counts["objects"] += len(objects)
    by_kind = {}
    for thing in objects:
        by_kind.setdefault(thing["kind"], []).append(thing)
        schema(f"{place}: {thing['kind']} {thing['metadata']['name']}", thing)
        if thing["kind"] != "Namespace" and not thing["metadata"].get("namespace"):
            complain(place, f"{thing['kind']} {thing['metadata']['name']} has no namespace")
    identities = [(thing["kind"], thing["metadata"]["name"]) for thing in objects]
    for twice in {identity for identity in identities if identities.count(identity) > 1}:
        complain(place, f"{twice} comes twice")
    for forbidden in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret"):
        if forbidden in by_kind:
            complain(place, f"there is a {forbidden}")
    for test in by_kind.get("Pod", []):
        check_test(f"{place}: test", test, by_kind, exporter)
    for account in by_kind.get("ServiceAccount", []):
        if account.get("automountServiceAccountToken") is not False:
            complain(place, "the account gives tokens")
    for stateful in by_kind["StatefulSet"]:
        pod(f"{place}: StatefulSet", stateful, by_kind, exporter)
    for configuration in by_kind.get("ConfigMap", []):
        if "config.yaml" in configuration.get("data", {}):
            check_configuration(place, configuration.get("data", {})["config.yaml"], exporter)
        size = sum(len(value.encode()) for value in configuration.get("data", {}).values())
        if size > 1024 * 1024:
            complain(place, f"ConfigMap {configuration['metadata']['name']} is larger than 1 MiB")
    return by_kind


def schema(place, thing):
    if thing["kind"] in CRDS:
        validator = jsonschema.Draft202012Validator({**CRDS[thing["kind"]], "$defs": CRDS["$defs"]})
        counts["validations"] += 1
        for error in validator.iter_errors(thing):
            complain(place, f"{error.json_path}: {error.message}")
        return
    for version in (OLDEST, NEWEST):
        counts["validations"] += 1
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            complain(place, f"Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}")


def pod(place, stateful, by_kind, exporter):
    """The profile `restricted` of Pod Security, and what has to fit together."""
    template = stateful["spec"]["template"]
    spec = template["spec"]
    if spec.get("automountServiceAccountToken") is not False or spec.get("enableServiceLinks") is not False:
        complain(place, "the pod gets a token or the links of services")
    security = spec.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            complain(place, f"{field} is set")
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser") or not security.get("fsGroup"):
        complain(place, "the pod may be root, or its files are not its own")
    if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        complain(place, "no seccomp profile")
    for volume in spec["volumes"]:
        kinds = set(volume) - {"name"}
        if not kinds <= {"configMap", "secret", "projected", "emptyDir"}:
            complain(place, f"volume {volume['name']} is a {kinds}")
        for secret in (volume.get("secret"), volume.get("projected")):
            if secret and secret.get("defaultMode") != 0o440:
                complain(place, f"secrets of volume {volume['name']} have mode {secret.get('defaultMode')}")
    claims = {claim["metadata"]["name"] for claim in stateful["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in spec["volumes"]} | claims
    service = by_kind["Service"][0]
    if stateful["spec"]["serviceName"] != service["metadata"]["name"]:
        complain(place, "the service is another one")
    selector = stateful["spec"]["selector"]["matchLabels"]
    labels = template["metadata"]["labels"]
    selectors = [("StatefulSet", selector), ("Service", service["spec"]["selector"])]
    for kind, field in (("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
        selectors += [(kind, thing["spec"][field]["matchLabels"]) for thing in by_kind.get(kind, [])]
    for kind, wanted in selectors:
        if not wanted.items() <= labels.items():
            complain(place, f"the {kind} selects others: {wanted}")
    for monitor in by_kind.get("ServiceMonitor", []):
        if not monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items():
            complain(place, "the ServiceMonitor selects another service")
        names = {port["name"] for port in service["spec"]["ports"]}
        if {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} != names:
            complain(place, "the ServiceMonitor names another port")
    for monitor in by_kind.get("PodMonitor", []):
        if not monitor["spec"]["selector"]["matchLabels"].items() <= labels.items():
            complain(place, "the PodMonitor selects other pods")
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        if endpoint["port"] not in {port["name"] for port in spec["containers"][0]["ports"]}:
            complain(place, "the PodMonitor names another port")
        if endpoint.get("path", "/metrics") != prefix(spec["containers"][0]) + "/metrics":
            complain(place, f"the PodMonitor asks for {endpoint.get('path')}")
    if len(by_kind.get("PodDisruptionBudget", [])) > 0 and stateful["spec"]["replicas"] < 2:
        complain(place, "the budget would keep the node of the only replica from being drained")
    for container in spec["containers"] + spec.get("initContainers", []):
        check_container(f"{place}: {container['name']}", container, volumes, service, by_kind, exporter)


def check_container(place, container, volumes, service, by_kind, exporter):
    security = container.get("securityContext", {})
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    for field, value in wanted.items():
        if security.get(field) != value:
            complain(place, f"{field} is {security.get(field)}")
    if not re.search(r":(?!latest(@|$))[^:/@]+(@sha256:[0-9a-f]{64})?$", container["image"]):
        complain(place, f"the image {container['image']} is not pinned")
    if "memory" not in container["resources"].get("limits", {}):
        complain(place, "no limit of memory")
    for mount in container["volumeMounts"]:
        if mount["name"] not in volumes:
            complain(place, f"no volume {mount['name']}")
        if "subPath" in mount:
            complain(place, f"{mount['name']} would never be updated")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    [of_service] = service["spec"]["ports"]
    if ports != {of_service["targetPort"]: of_service["port"]}:
        complain(place, f"the ports {ports} are not those of the service")
    for policy in by_kind.get("NetworkPolicy", []):
        allowed = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        if allowed != set(ports.values()):
            complain(place, f"the network policy lets {allowed} in")
        if not all("from" in rule for rule in policy["spec"]["ingress"]):
            complain(place, "the network policy lets everybody in")
        names = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
        if 53 not in names or len(names) < 3:
            complain(place, f"the network policy lets {names} out")
    listened = [argument for argument in container["args"] if argument.startswith("--web.listen-address=")]
    if listened != [f"--web.listen-address=:{ports['http']}"]:
        complain(place, f"it listens on {listened}")
    flags = {argument.split("=")[0] for argument in container["args"] if argument.startswith("--")}
    known = set(re.findall(r"--[a-z.-]+", exporter_says(exporter, "serve", "--help")))
    if not flags <= known:
        complain(place, f"the exporter has no {flags - known}")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container[name]
        path = probe.get("httpGet", {}).get("path") or "/-/" + probe["exec"]["command"][-1].split("/-/")[-1]
        path = path.removeprefix(prefix(container))
        if path not in PROBED or (name == "livenessProbe") != (path == "/-/healthy"):
            complain(place, f"{name} asks for {path}")
        if "exec" in probe and probe["exec"]["command"][:2] != ["/asyncos_exporter", "healthcheck"]:
            complain(place, f"{name} runs {probe['exec']['command']}")


def prefix(container):
    """What stands before each path, by the flags: that of the route, or the path of the external URL."""
    given = dict(argument.split("=", 1) for argument in container["args"] if "=" in argument)
    outside = given.get("--web.external-url", "").split("://")[-1].partition("/")[2]
    path = given.get("--web.route-prefix", outside).strip("/")
    return f"/{path}" if path else ""


def check_test(place, test, by_kind, exporter):
    """The pod of `helm test` asks each shard where the probes ask it, and nothing takes it for the exporter."""
    [stateful], [service] = by_kind["StatefulSet"], by_kind["Service"]
    labels = test["metadata"]["labels"]
    if test["metadata"]["annotations"].get("helm.sh/hook") != "test":
        complain(place, "it is no test")
    if service["spec"]["selector"].items() <= labels.items():
        complain(place, "the service leads to it")
    for policy in by_kind.get("NetworkPolicy", []):
        peers = [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
        if labels not in [peer.get("podSelector", {}).get("matchLabels") for peer in peers]:
            complain(place, "the network policy keeps it out")
    [exporting] = stateful["spec"]["template"]["spec"]["containers"]
    probe = exporting["readinessProbe"]
    path = probe["httpGet"]["path"] if "httpGet" in probe else "/" + probe["exec"]["command"][-1].split("/", 3)[3]
    name, [port] = stateful["metadata"]["name"], service["spec"]["ports"]
    host = f"{service['metadata']['name']}:{port['port']}{path}"
    wanted = [f"{name}-{shard}.{host}" for shard in range(stateful["spec"]["replicas"])]
    asked = [container["args"][1].split("://")[1] for container in test["spec"]["containers"]]
    if asked != wanted:
        complain(place, f"it asks {asked}")
    flags = {argument.split("=")[0] for container in test["spec"]["containers"] for argument in container["args"][1:]}
    if not flags <= set(re.findall(r"--[a-z.-]+", exporter_says(exporter, "healthcheck", "--help"))):
        complain(place, f"the exporter has no {flags}")
    for container in test["spec"]["containers"]:
        if container["image"] != exporting["image"] or container["securityContext"] != exporting["securityContext"]:
            complain(place, f"{container['name']} is another program")


def exporter_says(exporter, *arguments):
    return subprocess.run([exporter, *arguments], capture_output=True, text=True, check=True).stdout


def check_configuration(place, text, exporter):
    """The exporter itself takes it, as it would find it."""
    counts["configurations"] += 1
    with tempfile.TemporaryDirectory() as folder:
        for name in re.findall(r"credential: (\S+)", text):
            file = pathlib.Path(folder, name)
            file.write_text("secret\n")
            file.chmod(0o440)
        roots = next(pathlib.Path("/etc/ssl/certs").glob("*.pem"))
        text = re.sub(r"/etc/asyncos_exporter/ca/\S+", str(roots), text)
        # This machine is no pod of a StatefulSet.
        text = text.replace("from: hostname", "index: 0")
        config = pathlib.Path(folder, "config.yaml")
        config.write_text(text)
        environment = {"CREDENTIALS_DIRECTORY": folder, "ESA1_PASSWORD": "secret"}
        command = [exporter, "check", f"--config.file={config}"]
        checked = subprocess.run(command, capture_output=True, text=True, env=environment)
        if checked.returncode:
            complain(place, f"the exporter refuses the configuration: {checked.stderr}")


def same_keys(path, values, described):
    """Every value is in the schema, and the schema has no other."""
    properties = described.get("properties")
    if properties is None or not isinstance(values, dict) or described.get("additionalProperties") is not False:
        return
    optional = {"global"} | ({"initialDelaySeconds", "successThreshold"} if ".probes" in path else set())
    if set(values) != set(properties) - optional - {key for key in optional & set(properties) if key not in values}:
        complain("values.schema.json", f"{path}: {set(values) ^ (set(properties) - optional)}")
    for key, value in values.items():
        inner = properties.get(key, {})
        if "description" not in inner and "probes" not in path:
            complain("values.schema.json", f"{path}.{key} has no description")
        same_keys(f"{path}.{key}", value, inner)


def main():
    renderer, exporter = sys.argv[1], sys.argv[2]
    defaults = yaml.load((CHART / "values.yaml").read_text(), Strict)
    described = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(described)
    validator = jsonschema.Draft7Validator(described)
    same_keys("", defaults, described)
    jsonschema.validate(defaults, described, jsonschema.Draft7Validator)
    for wrong in ({"shard": 3}, {"image": {"tag": "latest"}}, {"service": {"port": "http"}}, {"shards": 0}):
        if validator.is_valid({**copy.deepcopy(defaults), **wrong}):
            complain("values.schema.json", f"takes {wrong}")

    templates = {file.name for file in (CHART / "templates").glob("*.yaml")}
    seen = set()
    for file in sorted((CHART / "ci").glob("*-values.yaml")):
        values = yaml.load(file.read_text(), Strict)
        for error in validator.iter_errors(values):
            complain(file.name, f"{error.json_path}: {error.message}")
        code, text, said = render(renderer, str(CHART), str(file))
        if code:
            complain(file.name, said)
            continue
        judge(file.name, text, exporter)
        seen |= set(re.findall(r"^# Source: \S+/templates/(\S+)$", text, re.MULTILINE))
        if file.name == "monitoring-values.yaml":
            boards = {board.name for board in (CHART / "files/dashboards").glob("*.json")}
            shown = set(re.findall(r"^  (\S+\.json): \|$", text, re.MULTILINE))
            if not boards or boards != shown:
                complain(file.name, f"boards: {boards ^ shown}")
    if seen != templates:
        complain("ci", f"no values render {templates - seen}")

    # The example of the manual.
    manual = pathlib.Path("deploy/README.md").read_text()
    [example] = re.findall(r"```yaml\n(.*?)```", manual, re.DOTALL)
    for error in validator.iter_errors(yaml.load(example, Strict)):
        complain("deploy/README.md", f"{error.json_path}: {error.message}")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "values.yaml")
        file.write_text(example)
        code, text, said = render(renderer, str(CHART), str(file))
        if code:
            complain("deploy/README.md", said)
        else:
            judge("deploy/README.md", text, exporter)

    refused = {
        "config.appliances is empty": "{}",
        "not both": "existingConfig: {secret: one, configMap: other}",
        "scraped twice": "config: {appliances: [{name: a}]}\nserviceMonitor: {enabled: true}\npodMonitor: {enabled: true}",
    }
    with tempfile.TemporaryDirectory() as folder:
        for why, values in refused.items():
            file = pathlib.Path(folder, "values.yaml")
            file.write_text(values)
            code, _, said = render(renderer, str(CHART), str(file))
            if code == 0 or why not in said:
                complain("chart", f"takes {values}")

    arguments = ("-namespace", "asyncos", "-service", "kustomize", str(CHART), str(PLAIN / "values.yaml"))
    code, text, said = render(renderer, *arguments)
    head = "# Rendered from deploy/helm/asyncos-exporter with values.yaml; do not edit.\n"
    plain = PLAIN / "asyncos-exporter.yaml"
    if code:
        complain("kubernetes", said)
    elif "--update" in sys.argv:
        plain.write_text(head + text)
    elif not plain.exists() or plain.read_text() != head + text:
        complain(str(plain), "is not what the chart renders; tests/deploy/helm.sh --update writes it")
    if not code:
        judge("kubernetes", text, exporter)
    schema("namespace.yaml", yaml.load((PLAIN / "namespace.yaml").read_text(), Strict))

    for problem in problems:
        print(problem, file=sys.stderr)
    figures = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"{figures} (Kubernetes {OLDEST} and {NEWEST}), {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
