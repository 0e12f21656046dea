import { Resolver } from 'node:dns'
import { checkTextList } from '../../core/option-values.ts'

const example = "['10.0.0.2', '10.0.0.3:5353']"

/** Checks a list of DNS servers. Throws a `TypeError` that names the owner and the fix. */
export function checkDnsServers(owner: string, servers: readonly string[]): void {
  checkTextList(owner, 'dnsServers', servers, example)
  if (servers.length === 0)
    throw new TypeError(`${owner}: dnsServers is empty: leave it out to use those of the system`)
  const invalid = servers.find(server => !isServer(server))
  if (invalid !== undefined)
    throw new TypeError(`${owner}: dnsServers must contain IP addresses such as ${example}, got '${invalid}'`)
}

function isServer(server: string): boolean {
  try {
    new Resolver().setServers([server])
    return true
  } catch {
    return false
  }
}
