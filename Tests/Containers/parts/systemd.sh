# The unit, by a real systemd in a machine of its own.
. Tests/Containers/parts/package.sh
echo "containers: the unit in a machine with systemd"
docker run --name "$COMPOSE_PROJECT_NAME-machine" -i -v "$work/package:/package:ro" debian:bookworm-slim bash -euo pipefail >"$work/machine.log" 2>&1 <<'INSIDE' || { tail -30 "$work/machine.log"; fail "a Debian with systemd"; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends systemd systemd-sysv git nginx-light fcgiwrap openssh-server openssh-client openssl binutils /package/*.deb
# The host's certificate is trusted as any other is: by the system.
mkdir -p /srv/work
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=host -addext subjectAltName=DNS:host -keyout /srv/work/tls.key -out /srv/work/tls.crt
cp /srv/work/tls.crt /usr/local/share/ca-certificates/host.crt
update-ca-certificates
systemctl disable nginx fcgiwrap.socket fcgiwrap.service ssh
rm -rf /var/lib/apt/lists /var/cache/apt /usr/share/locale
INSIDE
mkdir "$work/machine"
docker export "$COMPOSE_PROJECT_NAME-machine" | tar -x -C "$work/machine"
docker rm "$COMPOSE_PROJECT_NAME-machine" >/dev/null
Tests/Systemd/run "$work/machine" "$deb" "$work/sidekick" || fail "the unit"
ok "the unit does what docs/systemd.md says"
