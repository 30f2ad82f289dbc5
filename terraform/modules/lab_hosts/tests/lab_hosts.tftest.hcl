# SPDX-License-Identifier: Apache-2.0
variables {
  state_dir      = "/lab"
  port_base      = 20100
  authorized_key = "ssh-ed25519 AAAA lab"
  hosts = {
    b = { distro = "debian13", memory = 2048, cpus = 1 }
    a = { distro = "debian12" }
  }
}

run "ports_follow_the_order_of_names" {
  command = plan

  assert {
    condition     = output.hosts["a"].port == 20100 && output.hosts["b"].port == 20101
    error_message = "a must have the first port, b the next: ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = output.hosts["a"] == { address = "127.0.0.1", port = 20100, distro = "debian12", arch = "amd64", memory = 1024, cpus = 2 }
    error_message = "defaults of a host: ${jsonencode(output.hosts["a"])}"
  }
}

run "inventory_is_ansibles" {
  command = plan

  assert {
    condition     = keys(output.inventory) == ["lab"] && keys(output.inventory.lab.hosts) == ["a", "b"]
    error_message = "one group lab with all hosts: ${jsonencode(output.inventory)}"
  }
  assert {
    condition = output.inventory.lab.hosts["b"] == {
      ansible_host                 = "127.0.0.1"
      ansible_port                 = 20101
      ansible_user                 = "root"
      ansible_python_interpreter   = "/usr/bin/python3"
      ansible_ssh_private_key_file = "/lab/ssh_key"
      ansible_ssh_common_args      = "-o UserKnownHostsFile=/lab/hosts/b/known_hosts -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
      lab_distro                   = "debian13"
      lab_bob_password             = "lab"
    }
    error_message = "host variables: ${jsonencode(output.inventory.lab.hosts["b"])}"
  }
  assert {
    condition     = alltrue([for line in values(output.ssh) : strcontains(line, "StrictHostKeyChecking=yes")])
    error_message = "host keys are always checked: ${jsonencode(output.ssh)}"
  }
}

run "addresses_of_a_cloud" {
  command = plan
  variables {
    port_base = null
    addresses = { a = "198.51.100.1", b = "198.51.100.2" }
  }

  assert {
    condition     = output.hosts["b"].address == "198.51.100.2" && output.hosts["b"].port == 22
    error_message = "a given address goes with port 22: ${jsonencode(output.hosts["b"])}"
  }
  assert {
    condition     = endswith(output.ssh["a"], "-p 22 root@198.51.100.1")
    error_message = "ssh line: ${output.ssh["a"]}"
  }
}

run "user_data_makes_the_lab_users" {
  command = plan
  variables {
    bob_password = "s3cret"
    host_keys    = { a = { private = "PRIVATE", public = "PUBLIC" } }
  }

  assert {
    condition     = startswith(output.user_data["a"], "#cloud-config\n")
    error_message = "cloud-init wants its marker on the first line"
  }
  assert {
    condition = [for user in yamldecode(output.user_data["a"]).users : user.name] == ["root", "alice", "bob"] && alltrue([
      for user in yamldecode(output.user_data["a"]).users : user.ssh_authorized_keys == ["ssh-ed25519 AAAA lab"]
    ])
    error_message = "root, alice and bob take the lab's key: ${output.user_data["a"]}"
  }
  assert {
    condition     = [for user in yamldecode(output.user_data["a"]).users : user.name if can(user.sudo)] == ["alice"]
    error_message = "only alice has sudo"
  }
  assert {
    condition     = yamldecode(output.user_data["a"]).chpasswd.list == "bob:s3cret\n"
    error_message = "bob has the given password"
  }
  assert {
    condition     = yamldecode(output.user_data["a"]).ssh_keys.ed25519_private == "PRIVATE" && !can(yamldecode(output.user_data["b"]).ssh_keys)
    error_message = "a host has exactly the host key that was given for it"
  }
}

run "no_host" {
  command = plan
  variables {
    hosts = {}
  }
  expect_failures = [var.hosts]
}

run "bad_name" {
  command = plan
  variables {
    hosts = { "Bad_Name" = { distro = "debian12" } }
  }
  expect_failures = [var.hosts]
}

run "bad_distro" {
  command = plan
  variables {
    hosts = { a = { distro = "debian" } }
  }
  expect_failures = [var.hosts]
}

run "bad_arch" {
  command = plan
  variables {
    hosts = { a = { distro = "debian12", arch = "sparc" } }
  }
  expect_failures = [var.hosts]
}

run "too_little_memory" {
  command = plan
  variables {
    hosts = { a = { distro = "debian12", memory = 100 } }
  }
  expect_failures = [var.hosts]
}

run "no_cpu" {
  command = plan
  variables {
    hosts = { a = { distro = "debian12", cpus = 0 } }
  }
  expect_failures = [var.hosts]
}

run "privileged_port" {
  command = plan
  variables {
    port_base = 22
  }
  expect_failures = [var.port_base]
}

run "relative_state_dir" {
  command = plan
  variables {
    state_dir = "build/lab"
  }
  expect_failures = [var.state_dir]
}

run "password_that_would_break_chpasswd" {
  command = plan
  variables {
    bob_password = "a:b"
  }
  expect_failures = [var.bob_password]
}
