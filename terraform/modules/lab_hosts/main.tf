# SPDX-License-Identifier: Apache-2.0
# Pure: a map of hosts in, everything one must know of them out. No provider, no resource, nothing to wait for.
locals {
  names = sort(keys(var.hosts))

  hosts = {
    for index, name in local.names : name => {
      address = lookup(var.addresses, name, "127.0.0.1")
      port    = var.port_base == null ? 22 : var.port_base + index
      distro  = var.hosts[name].distro
      arch    = var.hosts[name].arch
      memory  = var.hosts[name].memory
      cpus    = var.hosts[name].cpus
    }
  }

  ssh_options = {
    for name in local.names : name => join(" ", [
      "-o UserKnownHostsFile=${var.state_dir}/hosts/${name}/known_hosts",
      "-o GlobalKnownHostsFile=/dev/null",
      "-o StrictHostKeyChecking=yes",
      "-o IdentitiesOnly=yes",
    ])
  }

  key_file = "${var.state_dir}/ssh_key"

  users = [
    { name = "root", ssh_authorized_keys = [var.authorized_key] },
    { name = "alice", ssh_authorized_keys = [var.authorized_key], shell = "/bin/bash", lock_passwd = true, sudo = "ALL=(ALL:ALL) NOPASSWD: ALL" },
    { name = "bob", ssh_authorized_keys = [var.authorized_key], shell = "/bin/bash", lock_passwd = false },
  ]

  user_data = {
    for name in local.names : name => join("\n", ["#cloud-config", jsonencode(merge(
      {
        hostname     = name
        disable_root = false
        ssh_pwauth   = false
        users        = local.users
        chpasswd     = { expire = false, list = "bob:${var.bob_password}\n" }
      },
      [for key in [lookup(var.host_keys, name, null)] : {
        ssh_deletekeys = true
        ssh_keys       = { ed25519_private = key.private, ed25519_public = key.public }
      } if key != null]...
    )), ""])
  }
}
