import type { Entry, Line } from '../helpers/entry.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { certificates } from '../helpers/certificates.ts'
import { deaf } from '../helpers/deaf.ts'
import { aloof, shows } from '../helpers/tls-victims.ts'
import { down } from '../helpers/victim.ts'
import { standsIn, standsInSoon } from '../scenes/caches.ts'
import { downForLong } from '../scenes/breaking.ts'
import { outOfFiles } from '../scenes/local.ts'
import { brokenResolver, moved, oneDead, oneHangs, slowAndDead, slowName, unknown } from '../scenes/names.ts'

const short = { options: { connectTimeout: 150 } } as const
const untrusted = {
  code: 'UPSTREAM_TLS',
  required: 502,
  optional: 'fallback',
  withinMs: 40,
  connectionsAfter: 0,
} as const

/** Finding an upstream and connecting to it. */
export const connecting: readonly Entry[] = [
  {
    no: 1,
    fault: 'a port without a listener',
    upstream: down,
    code: 'UPSTREAM_UNREACHABLE',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 0,
  },
  {
    no: 2,
    fault: 'the first packet is dropped',
    upstream: deaf,
    code: 'UPSTREAM_UNREACHABLE',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    ...short,
    afterMs: 300,
    withinMs: 350,
    connectionsAfter: 0,
  },
  {
    no: 3,
    fault: 'takes the connection and never shakes hands',
    upstream: aloof,
    code: 'UPSTREAM_UNREACHABLE',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    ...short,
    afterMs: 300,
    withinMs: 350,
    connectionsAfter: 0,
  },
  { no: 4, fault: 'a certificate that has expired', upstream: shows(certificates.expired), ...untrusted },
  { no: 4, fault: 'a certificate of another name', upstream: shows(certificates.otherName), ...untrusted },
  { no: 4, fault: 'a certificate that signs itself', upstream: shows(certificates.stranger), ...untrusted },
  ...(
    [
      ['no version of TLS in common', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
      ['no cipher in common', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CAMELLIA128-SHA256' }],
    ] as const
  ).map(([fault, options]): Line => ({ no: 4, fault, upstream: shows({ ...selfSigned, ...options }), ...untrusted })),
  {
    no: 5,
    fault: 'a name that is not found',
    right: 'said at once, and asked for again a second later',
    play: unknown,
  },
  {
    no: 5,
    fault: 'a resolver that breaks itself',
    right: 'the upstream cannot be reached, and everything else goes on',
    play: brokenResolver,
  },
  {
    no: 6,
    fault: 'a name that takes its time',
    right: 'given up like a connection, and no other call waits',
    play: slowName,
  },
  {
    no: 7,
    fault: 'one address of two without a host',
    right: 'the other is dialled in the same attempt',
    play: oneDead,
  },
  {
    no: 7,
    fault: 'two addresses, a slow one and one without a host',
    right: 'the slow one is waited for until connectTimeout',
    play: slowAndDead,
  },
  {
    no: 7,
    fault: 'two addresses, of which the first never answers',
    right: 'the second is dialled meanwhile',
    play: oneHangs,
  },
  { no: 8, fault: 'a name that moves', right: 'connections that are opened later follow', play: moved },
  {
    no: 9,
    fault: 'callers who say nothing would take every file descriptor of this process',
    right: 'upstreams keep a share, silent callers make room, and the log says so once',
    play: outOfFiles,
  },
  {
    no: 10,
    fault: 'down for long',
    right: 'refused at once, one probe a window, and closed within one when it is back',
    play: downForLong,
  },
  {
    no: 10,
    fault: 'down for long, and asked for what is kept',
    right: 'what was kept stands in, by its state',
    play: standsIn,
  },
  {
    no: 10,
    fault: 'hangs for long, and is asked for what is kept',
    right: 'what was kept stands in after a soft limit, and is fetched when it is back',
    play: standsInSoon,
  },
]
