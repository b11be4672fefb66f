"""nginx and fcgiwrap in front of git http-backend, on a port that the system picks."""

import os
import socket
import subprocess
import time

from processes import stop

PARAMETERS = """
    fastcgi_param GIT_HTTP_EXPORT_ALL 1;
    fastcgi_param GIT_CONFIG_COUNT 1;
    fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
    fastcgi_param GIT_CONFIG_VALUE_0 *;
    fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
    fastcgi_param PATH_INFO $uri;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param REMOTE_ADDR $remote_addr;
"""


class Server:
    """Serves the bare repositories of a folder, and what is published in another; a context, whose end stops what it started."""

    def __init__(self, git, root, folder, published="/nonexistent"):
        self.git, self.root, self.folder, self.published = git, root, folder, published
        self.processes = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            stop(process)

    def url(self, repository):
        return f"http://127.0.0.1:{self.port}/{os.path.basename(repository)}"

    def traffic(self):
        """How many requests were answered so far, and the bytes of both directions, headers included."""
        time.sleep(0.02)  # The line is written after the answer.
        with open(f"{self.folder}/access.log") as log:
            sizes = [sum(map(int, line.split()[:2])) for line in log]
        return len(sizes), sum(sizes)

    def git_cpu(self):
        """Seconds of CPU of all that answered for repositories so far."""
        time.sleep(0.02)
        with open(f"{self.folder}/cpu.log") as log:
            return sum(map(float, log.read().split()))

    def first_byte_of_last(self):
        """When the last request was answered with its first byte, in seconds since 1970."""
        time.sleep(0.02)
        with open(f"{self.folder}/access.log") as log:
            end, took, head = map(float, log.readlines()[-1].split()[2:])
        return end - took + head

    def _start(self):
        os.mkdir(self.folder)
        gateway = f"{self.folder}/fcgi.sock"
        self._launch(["fcgiwrap", "-c", "2", "-s", f"unix:{gateway}"])
        self._await("fcgiwrap", lambda: os.path.exists(gateway))
        os.chmod(gateway, 0o777)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        backend = self.git.run("--exec-path") + "/git-http-backend"
        # fcgiwrap does not wait for what it starts: nobody else could say what that took.
        with open(f"{self.folder}/backend", "w") as file:
            file.write(f"#!/bin/bash\nTIMEFORMAT='%3U %3S'\n{{ time {backend} 2>&3; }} 3>&2 2>>{self.folder}/cpu.log\n")
        os.chmod(f"{self.folder}/backend", 0o755)
        open(f"{self.folder}/cpu.log", "w").close()
        with open(f"{self.folder}/nginx.conf", "w") as file:
            file.write(self._configuration(gateway))
        self._launch(["nginx", "-p", self.folder, "-c", f"{self.folder}/nginx.conf", "-e", f"{self.folder}/error.log"])
        self._await("nginx", self._answers)

    def _configuration(self, gateway):
        temporary = " ".join(f"{kind}_temp_path {self.folder}/{kind};"
                             for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        return f"""
            daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;
            {"user root;" if os.geteuid() == 0 else ""}
            events {{ worker_connections 256; }}
            http {{
                log_format sizes "$request_length $bytes_sent $msec $request_time $upstream_header_time";
                access_log {self.folder}/access.log sizes;
                {temporary}
                server {{
                    listen 127.0.0.1:{self.port};
                    location /published/ {{
                        alias {self.published}/;
                        access_log off;
                    }}
                    location / {{
                        client_max_body_size 0;
                        fastcgi_pass unix:{gateway};
                        fastcgi_param SCRIPT_FILENAME {self.folder}/backend;
                        fastcgi_param GIT_PROJECT_ROOT {self.root};
                        {PARAMETERS}
                    }}
                }}
            }}
        """

    def _launch(self, command):
        with open(f"{self.folder}/{command[0]}.out", "w") as output:
            self.processes.append(subprocess.Popen(
                command, env=self.git.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output))

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _await(self, what, condition):
        for _ in range(500):
            if condition():
                return
            if self.processes[-1].poll() is not None:
                break
            time.sleep(0.01)
        raise SystemExit(f"{what} does not start: see its messages\n" + self._messages())

    def _messages(self):
        texts = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(f"{self.folder}/{name}", errors="replace") as file:
                    texts.append(file.read())
        return "".join(texts)
