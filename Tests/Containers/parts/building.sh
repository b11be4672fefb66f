# Sources that are built before they are published, each by a generator: only sh, one repository for each.
echo "containers: sites that are built"
for generator in hugo mkdocs; do
    files=(-f docker-compose.yml -f Tests/Containers/pushed.yml -f "deploy/compose/build-$generator.yml" -f Tests/Containers/built.yml)
    source=$work/$generator
    git init -q -b main "$source"
    case $generator in
    hugo)
        mkdir -p "$source/content" "$source/layouts/_default"
        printf 'baseURL = "/"\ntitle = "Site"\ndisableKinds = ["RSS", "sitemap", "taxonomy", "term"]\n' >"$source/config.toml"
        printf '<!doctype html><title>{{ .Title }}</title><main>{{ .Content }}</main>' | tee "$source/layouts/_default/single.html" >"$source/layouts/_default/list.html"
        written=content/_index.md
        ;;
    mkdocs)
        mkdir -p "$source/docs"
        printf 'site_name: Site\ntheme: readthedocs\n' >"$source/mkdocs.yml"
        written=docs/index.md
        ;;
    esac
    write() { # TEXT
        printf '%s\n' "$1" >"$source/$written"
        git -C "$source" add -A
        git -C "$source" -c user.name=Test -c user.email=test@example.org commit -q -m Change
        git -C "$source" push -q "$REPOSITORIES/$generator.git" HEAD:refs/heads/main
    }
    has() { grep -q -- "$1" <<<"$(page "")"; }
    git init -q -b main --bare "$REPOSITORIES/$generator.git"
    write "the first text"
    export REPOSITORY=/repositories/$generator.git DELAY=1
    compose up -d --build >"$work/build.log" 2>&1 || { tail -30 "$work/build.log"; fail "compose up with $generator"; }
    within 120 "$generator: what was built is served" has "<p>the first text</p>"
    write "the second text"
    within 60 "$generator: a push is built and served" has "<p>the second text</p>"
    # One that cannot be built.
    case $generator in
    hugo) printf '{{< nothing >}}\n' >"$source/content/broken.md" ;;
    mkdocs) printf 'site_name: [\n' >"$source/mkdocs.yml" ;;
    esac
    write "the third text"
    within 60 "$generator: a build that fails is told" says build "failed; what was published stays"
    has "<p>the second text</p>" || fail "$generator: a build that fails changes what is served"
    ok "$generator: and changes nothing of what is served"
    compose exec -T updater /usr/local/bin/sidekick rollback >/dev/null || fail "$generator: rollback"
    within 30 "$generator: rollback shows the build before" has "<p>the first text</p>"
    down
    docker image rm -f "$COMPOSE_PROJECT_NAME-build" "$COMPOSE_PROJECT_NAME-sources" >/dev/null 2>&1 || true
done
