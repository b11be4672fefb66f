# Makes an image of a Debian with systemd, the package and the servers of `host`, whose certificate it trusts; for other parts.
[ -n "${deb:-}" ] || . Tests/Containers/parts/package.sh
machine_image=$COMPOSE_PROJECT_NAME-machine
remove_machine() { docker image rm -f "$machine_image" >/dev/null 2>&1; }
ends+=(remove_machine)
mkdir -p "$work/tls" && chmod 755 "$work/tls"
[ -e "$work/tls/tls.crt" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=host -addext subjectAltName=DNS:host,DNS:github.com \
    -keyout "$work/tls/tls.key" -out "$work/tls/tls.crt" 2>/dev/null
chmod 644 "$work/tls"/*
cp "$work/tls/tls.crt" "$work/package/host.crt"
cat >"$work/package/Dockerfile" <<'DOCKERFILE'
FROM debian:bookworm-slim
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends \
    binutils ca-certificates fcgiwrap git nginx-light openssh-client openssh-server openssl procps systemd systemd-sysv
COPY *.deb host.crt /package/
RUN apt-get install -y -qq --no-install-recommends /package/*.deb
RUN cp /package/host.crt /usr/local/share/ca-certificates/ && update-ca-certificates && systemctl disable nginx fcgiwrap.socket fcgiwrap.service ssh
RUN rm -rf /var/lib/apt/lists /var/cache/apt /usr/share/locale /package
DOCKERFILE
docker build -t "$machine_image" "$work/package" >"$work/machine.log" 2>&1 || { tail -30 "$work/machine.log"; fail "a Debian with systemd"; }
