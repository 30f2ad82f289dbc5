# SPDX-License-Identifier: Apache-2.0
# Plans only: an apply would boot machines (molecule does that).
variables {
  state_dir = "/nonexistent/lab"
  cache_dir = "/nonexistent/images"
}

run "plan_of_the_default_lab" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(terraform_data.host))) == "debian12 debian13" && join(" ", sort(keys(terraform_data.image))) == "debian12-amd64 debian13-amd64"
    error_message = "two hosts, each with an image of its own"
  }
  assert {
    condition     = output.hosts["debian12"].port >= 20000 && output.hosts["debian12"].port < 32000 && output.hosts["debian13"].port == output.hosts["debian12"].port + 1
    error_message = "ports derived from state_dir: ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = terraform_data.host["debian13"].triggers_replace.nonce == local.fresh
    error_message = "a host that does not run is to be started"
  }
}

run "labs_do_not_meet" {
  command = plan
  variables {
    state_dir = "/nonexistent/other"
  }

  assert {
    condition     = output.hosts["debian12"].port != run.plan_of_the_default_lab.hosts["debian12"].port
    error_message = "another state_dir must give other ports"
  }
}

run "one_image_for_hosts_alike" {
  command = plan
  variables {
    port_base = 25000
    hosts = {
      one = { distro = "debian12" }
      two = { distro = "debian12", memory = 2048 }
    }
  }

  assert {
    condition     = join(" ", keys(terraform_data.image)) == "debian12-amd64" && terraform_data.host["two"].triggers_replace.memory == 2048
    error_message = "the image is built once"
  }
  assert {
    condition     = output.hosts["one"].port == 25000 && output.hosts["two"].port == 25001
    error_message = "port_base is obeyed: ${jsonencode(output.hosts)}"
  }
}

run "given_image_builds_none" {
  command = plan
  variables {
    image = "main.tf" # any file that exists
    hosts = { cloud = { distro = "debian12" } }
  }

  assert {
    condition     = length(terraform_data.image) == 0 && endswith(terraform_data.disk["cloud"].triggers_replace.image, "/main.tf")
    error_message = "a given image is used as it is"
  }
}

run "one_image_is_not_two_distros" {
  command = plan
  variables {
    image = "main.tf"
  }
  expect_failures = [terraform_data.lab]
}

run "missing_image" {
  command = plan
  variables {
    image = "/nonexistent/image.qcow2"
  }
  expect_failures = [var.image]
}

run "unknown_accelerator" {
  command = plan
  variables {
    accel = "xen"
  }
  expect_failures = [var.accel]
}

run "bad_mirror" {
  command = plan
  variables {
    mirror = "not a uri"
  }
  expect_failures = [var.mirror]
}

run "blank_in_state_dir" {
  command = plan
  variables {
    state_dir = "/tmp/my lab"
  }
  expect_failures = [var.state_dir]
}
