# Makes the Debian package of the image's program, in $work/package; for other parts.
echo "containers: the Debian package"
docker create --name "$COMPOSE_PROJECT_NAME-look" "$updater_image" >/dev/null
docker cp -q "$COMPOSE_PROJECT_NAME-look:/usr/local/bin/sidekick" "$work/sidekick"
docker rm "$COMPOSE_PROJECT_NAME-look" >/dev/null
mkdir "$work/package"
deb=$(deploy/deb "$work/sidekick" "$work/package") || fail "deploy/deb"
dpkg-deb -I "$deb" | grep -q 'Depends: .*libgit2-1.5.*ca-certificates' || fail "$(dpkg-deb -I "$deb")"
ok "$(basename "$deb") is made, and its libraries are its dependencies"
push "packaged"
