# The unit, by a real systemd in a machine of its own.
if [ "$(uname -m)" != x86_64 ]; then
    echo "containers: systemd is not tried: its machine is an x86_64"
    return
fi
. Tests/Containers/parts/machine.sh
echo "containers: the unit in a machine with systemd"
docker create --name "$COMPOSE_PROJECT_NAME-machine" "$machine_image" >/dev/null
mkdir "$work/machine"
docker export "$COMPOSE_PROJECT_NAME-machine" | tar -x -C "$work/machine"
docker rm "$COMPOSE_PROJECT_NAME-machine" >/dev/null
mkdir -p "$work/machine/srv/host"
cp "$work/tls"/* "$work/machine/srv/host"
Tests/Systemd/run "$work/machine" "$deb" "$work/sidekick" || fail "the unit"
rm -rf "$work/machine"
ok "the unit does what docs/systemd.md says"
