# Every command of README.md and docs that calls docker, as it stands there, on a network on which the hosts are that they name.
. Tests/Containers/parts/machine.sh
echo "containers: the commands of the documents"
hosts=$work/hosts
mkdir -p "$hosts"
chmod 755 "$hosts"
cp "$work/tls"/* "$hosts"
(
    work=$hosts
    . Tests/Documents/site
    mkdir "$work/git/Sirtea"
    ln -s ../group/site.git "$work/git/Sirtea/sidekick-example.git"
    # What the generators are given.
    mkdir -p "$work/hugo/content" "$work/hugo/layouts/_default" "$work/mkdocs/docs"
    printf 'baseURL = "/"\ndisableKinds = ["RSS", "sitemap", "taxonomy", "term"]\n' >"$work/hugo/config.toml"
    printf '{{ .Content }}' | tee "$work/hugo/layouts/_default/single.html" >"$work/hugo/layouts/_default/list.html"
    printf 'by hugo\n' >"$work/hugo/content/_index.md"
    printf 'site_name: Site\ntheme: readthedocs\n' >"$work/mkdocs/mkdocs.yml"
    printf 'by mkdocs\n' >"$work/mkdocs/docs/index.md"
    for name in hugo mkdocs; do
        git init -q -b main "$work/$name"
        git -C "$work/$name" add -A
        git -C "$work/$name" commit -qm Sources
        git clone -q --bare "$work/$name" "$work/git/$name.git"
    done
    cp -r "$work/git/mkdocs.git" "$work/git/docs.git"
    cp -r "$work/git/group/site.git" "$work/git/two.git"
)
docker network create "$COMPOSE_PROJECT_NAME-hosts" >/dev/null
remove_hosts() { docker rm -f "$COMPOSE_PROJECT_NAME-host" "$COMPOSE_PROJECT_NAME-run" >/dev/null 2>&1; docker network rm "$COMPOSE_PROJECT_NAME-hosts" >/dev/null 2>&1; docker volume rm -f "$COMPOSE_PROJECT_NAME-site" >/dev/null 2>&1; }
ends+=(remove_hosts)
docker run -d --name "$COMPOSE_PROJECT_NAME-host" --network "$COMPOSE_PROJECT_NAME-hosts" --network-alias host --network-alias github.com \
    -v "$hosts:/srv/host" -v "$PWD/Tests/Documents:/machine:ro" "$machine_image" \
    bash -c 'echo git:x:0:0:git:/srv/host/git:/bin/bash >>/etc/passwd; /machine/host /srv/host && exec sleep infinity' >/dev/null
cat >"$work/hosts.yml" <<COMPOSE
networks:
  hosts: {name: $COMPOSE_PROJECT_NAME-hosts, external: true}
services:
COMPOSE
follower() { printf '  %s: {networks: [default, hosts], environment: {SIDEKICK_CA_FILE: /tls/tls.crt}, volumes: ["%s:/tls:ro"]}\n' "$1" "$work/tls"; }
follower updater >>"$work/hosts.yml"
{ cat "$work/hosts.yml"; follower sources; } >"$work/built.yml"

# What a command calls docker. The one thing that is said besides: where these hosts are, and what vouches for them.
real=$(command -v docker)
mkdir "$work/bin"
cat >"$work/bin/docker" <<SCRIPT
#!/bin/bash
case \$1 in
compose)
    shift
    given=() more=$work/hosts.yml
    while [ "\$1" = -f ]; do
        given+=(-f "\$2")
        case \$2 in *build-*) more=$work/built.yml ;; esac
        shift 2
    done
    [ \${#given[@]} -gt 0 ] || given=(-f docker-compose.yml)
    exec $real compose "\${given[@]}" -f "\$more" "\$@"
    ;;
run)
    shift
    # The volume and the image are the test's: others of these names may be somebody's.
    arguments=("\${@/#sidekick:/$COMPOSE_PROJECT_NAME-site:}")
    exec $real run --name $COMPOSE_PROJECT_NAME-run --network $COMPOSE_PROJECT_NAME-hosts -e SIDEKICK_CA_FILE=/tls/tls.crt -v $work/tls:/tls:ro "\${arguments[@]/#sidekick-updater/$updater_image}"
    ;;
*) exit 64 ;;
esac
SCRIPT
chmod +x "$work/bin/docker"
commands() { # FILE: the commands in it that call docker, a line each, with the lines before them that one needs
    awk '/^    / { sub(/^    /, ""); if (/(^| )docker (compose|run) /) print before $0; before = /&& export / ? $0 "; " : ""; next } { before = "" }' "$1"
}
# As a new user has it, with what is not committed yet.
checkout=$work/checkout
git clone -q . "$checkout"
git ls-files -m -o --exclude-standard -z | xargs -0 -r cp --parents -t "$checkout"
pid=
# The whole of it: compose would go on and make containers that nobody removes.
end_command() { [ -z "$pid" ] || { kill -- "-$pid" && wait "$pid"; } 2>/dev/null || true; }
ends+=(end_command)
count=0
for file in README.md docs/*.md; do
    while read -r line; do
        # Another program's.
        case $line in *registry.k8s.io/git-sync*) continue ;; esac
        what=two site=two
        case $line in
        *build-hugo*) what="by hugo" site=hugo ;;
        *build-mkdocs*) what="by mkdocs" ;;
        *https*) ;;
        "docker compose up"* | *webhook*) what="kept by sidekick" ;;
        esac
        rm -rf "$hosts/git/group/site.git"
        cp -r "$hosts/git/$site.git" "$hosts/git/group/site.git"
        case $line in
        # A volume that is there already is somebody's.
        *"docker run --user"*) docker run --rm -v "$COMPOSE_PROJECT_NAME-site:/srv" "$machine_image" sh -c 'rm -rf /srv/site /srv/.sidekick && chown -R 1234:1234 /srv' ;;
        esac
        unset REPOSITORY DELAY
        (cd "$checkout" && PATH=$work/bin:$PATH exec setsid bash -c "$line") >"$work/command.log" 2>&1 </dev/null &
        pid=$!
        serves() { grep -q -- "$what" <<<"$(curl -sf --max-time 5 "http://127.0.0.1:$PORT/")"; }
        case $line in
        *"docker run"*) serves() { grep -q two <<<"$(docker run --rm -v "$COMPOSE_PROJECT_NAME-site:/srv" "$machine_image" cat /srv/site/index.html 2>/dev/null)"; } ;;
        esac
        end=$((SECONDS + 240))
        until serves; do
            kill -0 $pid 2>/dev/null && [ $SECONDS -lt $end ] || { tail -40 "$work/command.log"; fail "$line"; }
            sleep 0.5
        done
        end_command
        pid=
        docker rm -f "$COMPOSE_PROJECT_NAME-run" >/dev/null 2>&1 || true
        for yml in hosts built; do docker compose -f docker-compose.yml $([ $yml = hosts ] || echo "-f deploy/compose/build-hugo.yml") -f "$work/$yml.yml" down --volumes --timeout 5 >/dev/null 2>&1 || true; done
        ok "$line"
        count=$((count + 1))
    done < <(commands "$file" | sed '/docker run/ { p; s/docker run/& --user 1234:0/; }')
done
[ $count -ge 7 ] || fail "only $count commands were found"
