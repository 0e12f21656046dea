import { BlockList, isIP } from 'node:net'

/** Returns whether a host is listed; its address family is 0 for a name. */
type HostTest = (host: string, family: number) => boolean

interface Entry {
  readonly isNamed: HostTest
  /** The only port that is listed; undefined for all ports. */
  readonly port: string | undefined
}

/**
 * Reads `NO_PROXY`: host names with all names below them, addresses and networks (CIDR), each with a port or without,
 * and `*`. Any other entry is ignored.
 *
 * @returns a function that returns whether a target bypasses the proxy
 */
export function readNoProxy(text: string): (target: URL) => boolean {
  const entries = text
    .split(/[\s,]+/)
    .map(readEntry)
    .filter(entry => entry !== undefined)
  return ({ hostname, port, protocol }) => {
    const host = bare(hostname)
    const family = isIP(host)
    const at = port || (protocol === 'https:' ? '443' : '80')
    return entries.some(entry => (entry.port === undefined || entry.port === at) && entry.isNamed(host, family))
  }
}

function readEntry(text: string): Entry | undefined {
  // Colons within an address without brackets do not begin a port.
  const [, named = '', port] = /^(\[.*\](?:\/\d+)?|[^:]*)(?::(\d+))?$/.exec(text) ?? [text, text]
  const isNamed = named === '*' ? () => true : (networkTest(named) ?? nameTest(named))
  return isNamed && { isNamed, port }
}

function networkTest(named: string): HostTest | undefined {
  const [, address = '', bits] = /^\[?([^\][/%]+)\]?\/(\d{1,3})\]?$/.exec(named) ?? []
  const family = isIP(address)
  return family === 0 || Number(bits) > (family === 4 ? 32 : 128) ? undefined : listTest(address, family, Number(bits))
}

function nameTest(named: string): HostTest | undefined {
  if (/[/?#@\\]/.test(named)) return undefined
  const name = named.replace(/^\*?\./, '')
  // It writes names and addresses as the URLs of targets have them: in lower case, in Punycode (IDNA), in the one
  // spelling of an address.
  const { hostname } = URL.parse(`http://${isIP(name) === 6 ? `[${name}]` : name}/`) ?? {}
  if (hostname === undefined) return undefined
  const host = bare(hostname)
  const family = isIP(host)
  return family === 0
    ? other => other === host || other.endsWith(`.${host}`)
    : listTest(host, family, family === 4 ? 32 : 128)
}

/**
 * An IPv4 address and the IPv6 address that maps it are equal; a wide IPv6 network has no IPv4 address in it all the
 * same.
 */
function listTest(address: string, ofList: number, bits: number): HostTest {
  const list = new BlockList()
  list.addSubnet(address, bits, ofList === 4 ? 'ipv4' : 'ipv6')
  const isWide = ofList === 6 && bits < 96
  return (host, family) =>
    family === 6 ? list.check(host, 'ipv6') : family === 4 && !isWide && list.check(host, 'ipv4')
}

/** Takes off the brackets of an IPv6 address and the dot that ends a name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}
