#!/bin/sh
# Ansible managed
# A live table of CPU, memory and every GPU; --help tells the rest.
exec /usr/bin/python3 -I -B /opt/vault-cube/box/current/vcbox/__main__.py monitor "$@"
