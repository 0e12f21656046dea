import { test } from 'tap'
import { createRuntime } from '../../../src/upstream/runtime.ts'

test('DNS servers are a list of addresses, with or without a port', async t => {
  for (const dnsServers of [['10.0.0.2'], ['10.0.0.2:5353', '[::1]:53', '::1']])
    await createRuntime({ dnsServers }).close()
  for (const [dnsServers, message] of [
    ['10.0.0.2', "runtime: dnsServers must be a list of strings such as ['10.0.0.2', '10.0.0.3:5353'], got a string"],
    [[], 'runtime: dnsServers is empty: leave it out to use those of the system'],
    [
      ['10.0.0.2', 'dns.example'],
      "runtime: dnsServers must contain IP addresses such as ['10.0.0.2', '10.0.0.3:5353'], got 'dns.example'",
    ],
  ] as const)
    t.throws(() => createRuntime({ dnsServers: dnsServers as readonly string[] }), { name: 'TypeError', message })
})
