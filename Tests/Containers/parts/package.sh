# Makes the Debian package of the image's program, in $work/package; for other parts.
echo "containers: the Debian package"
docker create --name "$COMPOSE_PROJECT_NAME-look" "$updater_image" >/dev/null
docker cp -q "$COMPOSE_PROJECT_NAME-look:/usr/local/bin/sidekick" "$work/sidekick"
docker rm "$COMPOSE_PROJECT_NAME-look" >/dev/null
mkdir -p "$work/package"
deploy/setup deb
deb=$(deploy/deb "$work/sidekick" "$work/package" | tail -1) || fail "deploy/deb"
deb=$work/package/$(basename "$deb")
# Not by a pipe: grep ends at what it looks for, and whoever still writes then fails.
grep -q 'Depends: .*libc6.*libpcre2-8-0.*zlib1g.*ca-certificates' <<<"$(dpkg-deb -I "$deb")" || fail "$(dpkg-deb -I "$deb")"
ok "$(basename "$deb") is made, and its libraries are its dependencies"
push "packaged"
