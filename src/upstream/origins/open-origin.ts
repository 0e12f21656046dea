import { sendOf, type Send } from '../call/layer.ts'
import type { SpanServer } from '../call/spans.ts'
import { targetOf } from '../connect/dial.ts'
import type { Transport } from '../transport/transport.ts'
import type { BalancedOrigin } from './balance.ts'
import type { HealthCheck } from './health-check.ts'
import type { Endpoint } from './types.ts'

/** An origin with its transport. */
export class OpenOrigin implements BalancedOrigin {
  readonly text: string
  readonly server: SpanServer
  readonly transport: Transport
  readonly send: Send
  /** The checks of the origin; `undefined` without checks, and before the origin is a member of the balancer. */
  healthCheck: HealthCheck | undefined

  /** @param prefix - The prefix of every path. */
  constructor({ url, target }: Endpoint, prefix: string, transport: Transport) {
    const { hostname, port } = target ?? targetOf(url)
    this.text = url.origin
    this.server = { address: hostname, port, base: url.origin + prefix }
    this.transport = transport
    this.send = sendOf(transport.service)
  }
}
