# SPDX-License-Identifier: Apache-2.0
output "hosts" {
  description = "Name → address, port, distro, arch, memory, cpus."
  value       = local.hosts
}

output "inventory" {
  description = "An object that prints as an Ansible inventory: group lab with its hosts and their variables."
  value = {
    lab = {
      hosts = {
        for name, host in local.hosts : name => {
          ansible_host                 = host.address
          ansible_port                 = host.port
          ansible_user                 = "root"
          ansible_python_interpreter   = "/usr/bin/python3"
          ansible_ssh_private_key_file = local.key_file
          ansible_ssh_common_args      = local.ssh_options[name]
          lab_distro                   = host.distro
          lab_bob_password             = var.bob_password
        }
      }
    }
  }
}

output "ssh" {
  description = "Name → the command line that logs in as root; put another user's name for root."
  value = {
    for name, host in local.hosts :
    name => "ssh -i ${local.key_file} ${local.ssh_options[name]} -p ${host.port} root@${host.address}"
  }
}

output "user_data" {
  description = "Name → cloud-config with the lab's users and keys."
  value       = local.user_data
}
