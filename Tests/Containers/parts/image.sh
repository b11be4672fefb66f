# What is in the updater's image, and as whom it runs.
echo "containers: the updater's image is what the program needs and nothing else"
docker create --name "$COMPOSE_PROJECT_NAME-look" "$updater_image" >/dev/null
mkdir "$work/image"
docker export "$COMPOSE_PROJECT_NAME-look" | tar -x -C "$work/image" --exclude=dev
docker rm "$COMPOSE_PROJECT_NAME-look" >/dev/null
# The engine makes these itself.
found=$(cd "$work/image" && find . -type f ! -path ./.dockerenv ! -path './etc/host*' ! -path ./etc/resolv.conf | sort)
odd=$(grep -vE '^\./(usr/local/bin/sidekick|usr/bin/ssh|etc/(passwd|group|nsswitch\.conf|ssl/certs/ca-certificates\.crt)|usr/share/doc/sidekick/sbom\.spdx\.json|(usr/)?lib(64)?/[^ ]*\.so[.0-9]*)$' <<<"$found" || true)
[ -z "$odd" ] || fail "in the image: $odd"
ok "$(wc -l <<<"$found") files: the program, ssh, libraries, certificates, one user"
bytes=$(docker image inspect -f '{{.Size}}' "$updater_image")
[ "$bytes" -le 33000000 ] || fail "the image has $bytes bytes"
ok "$((bytes / 100000)) hundred kB of at most 330"
docker build -q -f Dockerfile.updater --target symbols -o "$work/symbols" . >/dev/null || fail "the symbols cannot be built"
build_id() { readelf -n "$1" | awk '/Build ID/ { print $3 }'; }
[ -n "$(build_id "$work/image/usr/local/bin/sidekick")" ] || fail "the program has no build id"
[ "$(build_id "$work/symbols/sidekick.debug")" = "$(build_id "$work/image/usr/local/bin/sidekick")" ] || fail "the symbols are another program's"
address=$(nm "$work/symbols/sidekick.debug" | awk '$3 == "git_repository_odb" { print $1 }')
[ "$(addr2line -f -e "$work/symbols/sidekick.debug" "$address" | head -1)" = git_repository_odb ] || fail "an address has no name"
ok "an address in the program has a name in the symbols that were built with it"
python3 - "$work/image" <<'PYTHON' || fail "the SBOM"
import json, os, sys
root = sys.argv[1]
sbom = json.load(open(root + "/usr/share/doc/sidekick/sbom.spdx.json"))
assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["SPDXID"] == "SPDXRef-DOCUMENT"
names = {p["name"]: p["versionInfo"] for p in sbom["packages"]}
for name in ["sidekick", "swift", "libgit2-dev", "libc6", "openssh-client", "ca-certificates", "libnss-wrapper", "swift-nio"]:
    assert names.get(name), name
assert all(names.values()), names
ids = {p["SPDXID"] for p in sbom["packages"]} | {"SPDXRef-DOCUMENT"}
assert len(ids) == len(sbom["packages"]) + 1
assert all(r["relatedSpdxElement"] in ids and r["spdxElementId"] in ids for r in sbom["relationships"])
# What the page tells of is what is there.
page = open("docs/security.md").read()
told = {name.strip() for row in page.splitlines() if row.startswith("| ") for name in row.split("|")[1].split(",")}
debian = {p["name"] for p in sbom["packages"] if "pkg:deb/" in p["externalRefs"][0]["referenceLocator"]}
assert debian <= told, debian - told
print(f"  {len(names)} packages, {len(debian)} of Debian's")
PYTHON
ok "the SBOM names every package, with its version, and docs/security.md says what each is for"
label() { docker image inspect -f "{{index .Config.Labels \"org.opencontainers.image.$1\"}}" "$2"; }
[ "$(label version "$updater_image")" = "$(docker run --rm --network none "$updater_image" --version)" ] || fail "the label of the version"
[ -n "$(label title "$web_image")" ] && [ "$(docker image inspect -f '{{.Config.StopSignal}} {{.Config.User}}' "$updater_image")" = "SIGTERM 65532:0" ] || fail "labels"
ok "labels, stop signal and user"

echo "containers: it runs as anybody who may write the volume"
push "as anybody"
once() { # what follows is docker's, up to the image
    docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges -v "$REPOSITORIES:/repositories:ro" \
        -e REPOSITORY=/repositories/site.git -e DESTINATION=/srv/www "$@" "$updater_image" --once
}
for user in "" 54321:0 1000:0; do
    docker volume create "$COMPOSE_PROJECT_NAME-user" >/dev/null
    once -v "$COMPOSE_PROJECT_NAME-user:/srv" ${user:+--user "$user"} >"$work/once" 2>&1 || fail "as ${user:-the image has it}: $(cat "$work/once")"
    docker volume rm "$COMPOSE_PROJECT_NAME-user" >/dev/null
done
ok "as 65532, and as any uid of group 0"
# libgit2 looks for the names of extensions by a regular expression.
git -C "$REPOSITORIES/site.git" config core.repositoryformatversion 1
git -C "$REPOSITORIES/site.git" config extensions.partialClone origin
docker volume create "$COMPOSE_PROJECT_NAME-user" >/dev/null
once -v "$COMPOSE_PROJECT_NAME-user:/srv" >"$work/once" 2>&1 || fail "a repository with extensions: $(cat "$work/once")"
docker volume rm "$COMPOSE_PROJECT_NAME-user" >/dev/null
git -C "$REPOSITORIES/site.git" config --unset extensions.partialClone
git -C "$REPOSITORIES/site.git" config core.repositoryformatversion 0
ok "of a repository with extensions"
mkdir -m 2775 "$work/group" && chgrp 4000 "$work/group"
once -v "$work/group:/srv" --user 3000:3000 --group-add 4000 >"$work/once" 2>&1 || fail "with an fsGroup: $(cat "$work/once")"
ok "with a group that the volume has, as an fsGroup gives it"
mkdir -m 755 "$work/theirs" && chown 3001:3001 "$work/theirs"
once -v "$work/theirs:/srv" --user 3001:3001 >"$work/once" 2>&1 || fail "with a volume of its own: $(cat "$work/once")"
ok "with a volume that is the user's own"

echo "containers: the image has an ssh that runs under any uid, with a key that others may read"
ssh-keygen -q -t ed25519 -N "" -f "$work/key"
chmod 0444 "$work/key"
refused=$(docker run --rm --network none --user 54321:0 --read-only --cap-drop ALL --tmpfs /site:mode=1777 \
    -v "$work/key:/run/secrets/key:ro" -e SIDEKICK_SSH_KEY_FILE=/run/secrets/key -e SIDEKICK_SSH_KNOWN_HOSTS=none \
    "$updater_image" ssh://git@127.0.0.1:1/site.git /site/www --once 2>&1 || true)
grep -q 'cannot connect to 127.0.0.1:1: .*Connection refused' <<<"$refused" || fail "ssh in the image: $refused"
ok "ssh gets as far as the network"
mkdir -p "$work/home/.ssh"
printf 'Host *\n  ProxyCommand nc %%h %%p\n' >"$work/home/.ssh/config"
refused=$(docker run --rm --network none --read-only --cap-drop ALL --tmpfs /site:mode=1777 -v "$work/home:/home:ro" -e HOME=/home \
    -e SIDEKICK_SSH_KNOWN_HOSTS=none "$updater_image" ssh://git@127.0.0.1:1/site.git /site/www --once 2>&1 || true)
grep -q 'there is no shell.*ProxyJump and ProxyCommand need the image with a shell' <<<"$refused" || fail "a ProxyCommand: $refused"
ok "a ProxyCommand is told to need the other image"

echo "containers: the image with a shell, for hooks that are scripts"
docker build -q --target updater-debug -f Dockerfile.updater -t "$COMPOSE_PROJECT_NAME-debug" . >"$work/debug.log" 2>&1 || { cat "$work/debug.log"; fail "updater-debug"; }
docker run --rm --network none --read-only --tmpfs /srv:mode=1777 -v "$REPOSITORIES:/repositories:ro" -e REPOSITORY=/repositories/site.git -e DESTINATION=/srv/www \
    -e SIDEKICK_ON_PUBLISH='echo "$PUBLISHED_REF of $(id -u)" | cat' "$COMPOSE_PROJECT_NAME-debug" --once >"$work/hook" 2>&1 || fail "a hook: $(cat "$work/hook")"
grep -q 'line="refs/heads/main of 65532"' "$work/hook" || fail "a hook: $(cat "$work/hook")"
docker image rm -f "$COMPOSE_PROJECT_NAME-debug" >/dev/null
ok "a hook for sh"
