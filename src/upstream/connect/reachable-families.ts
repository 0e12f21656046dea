import { BlockList } from 'node:net'
import type { networkInterfaces } from 'node:os'

/** The version of an IP address. */
export type AddressFamily = 4 | 6

/** The addresses that are valid on one link only (RFC 3927, RFC 4291). Most interfaces have one of IPv6. */
const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')

/** Returns the families in which this machine has an address for other networks; both if it has none. */
export function reachableFamilies(interfaces: typeof networkInterfaces): readonly AddressFamily[] {
  const own = Object.values(interfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(
      ({ address, family, internal }) => !internal && !linkLocal.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4'),
    )
  const families = ([4, 6] as const).filter(version => own.some(({ family }) => family === `IPv${version}`))
  return families.length === 0 ? [4, 6] : families
}
