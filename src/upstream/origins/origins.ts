import { UpstreamError } from '../../errors.ts'
import type { Completion, Layer } from '../call/layer.ts'
import type { LiveCall } from '../call/live-call.ts'
import type { Records } from '../connect/records.ts'
import { markConnectError, wireError } from '../connect/wire-errors.ts'
import type { OriginSpec } from '../spec/origins-spec.ts'
import type { UpstreamSpec } from '../spec/spec.ts'
import {
  openSingleUseTransport,
  openTransport,
  type Transport,
  type TransportOptions,
  type UpstreamAddress,
} from '../transport/transport.ts'
import { balance, originService } from './balance.ts'
import { createBalancer } from './balancer.ts'
import { discover } from './discover.ts'
import { maxReadBytes, startHealthCheck } from './health-check.ts'
import { OpenOrigin } from './open-origin.ts'
import { OpenOrigins } from './open-origins.ts'
import { createSocketBudget } from './socket-budget.ts'
import type { BalancerGauge, BalancerOptions, Endpoint, Member } from './types.ts'
import { createWaitingCalls } from './waiting-calls.ts'

export interface OriginsOptions extends TransportOptions {
  readonly entries: readonly OriginSpec[]
  readonly records: Records
  /** Called after an origin has changed. */
  readonly onChange?: BalancerOptions['onChange']
}

/** The transports to all origins of an upstream, as one transport. */
export interface Origins extends Omit<Transport, 'sockets'> {
  /** Chooses the origin of each attempt. A call passes through it before it reaches `service`. */
  readonly balance: Layer
  /** Returns the state of the origins. */
  readonly gauge: () => BalancerGauge
}

/** Opens the transports to the origins of an upstream: those of a list, and those that DNS records name. */
export function openOrigins(
  spec: UpstreamSpec,
  address: UpstreamAddress,
  { entries, records, onChange, ...options }: OriginsOptions,
): Origins {
  const { name: upstream, connections, connectTimeout } = spec
  const { healthCheck } = spec.balance
  const isPublic = spec.publicOnly && !address.isTrusted
  const credentials = { ...options.credentials }
  let isClosed = false

  const balancer = createBalancer<OpenOrigin>({ balance: spec.balance, onChange })
  const origins = new OpenOrigins({ balancer, open, joined })
  const budget = createSocketBudget(connections, () => origins.transports.map(({ sockets }) => sockets))
  const waiting = createWaitingCalls(
    connectTimeout,
    () => new UpstreamError('UPSTREAM_UNREACHABLE', upstream, { detail: 'its addresses were not found in time' }),
  )

  function open(endpoint: Endpoint): OpenOrigin {
    const { url, target } = endpoint
    const transport: Transport = openTransport(
      spec,
      { ...address, url, origins: undefined },
      { ...options, credentials, target, mayOpen: mayClose => budget.mayOpen(transport.sockets, mayClose) },
    )
    return new OpenOrigin(endpoint, address.prefix, transport)
  }

  function joined(member: Member<OpenOrigin>): void {
    if (healthCheck === undefined) return
    const { resolve, secureContext, proxy } = options
    const { url, target } = member.endpoint
    member.value.healthCheck = startHealthCheck({
      url,
      path: address.prefix + healthCheck.path,
      check: healthCheck,
      open: () =>
        openSingleUseTransport(url, {
          resolve,
          secureContext,
          proxy,
          connectTimeout,
          isPublic,
          servername: spec.tls?.servername,
          target,
          maxBytes: maxReadBytes,
        }),
      changed: isHealthy => balancer.setHealthy(member, isHealthy),
    })
  }

  const lookupFailed = () => wireError(markConnectError(discovery.failure() as Error), upstream)
  const discovery = discover({
    entries,
    records,
    isPublic,
    changed(endpoints) {
      origins.set(endpoints)
      waiting.resume()
    },
    failed: () => waiting.reject(lookupFailed),
  })
  const closed = () => new UpstreamError('RUNTIME_CLOSED', upstream)

  function wait(call: LiveCall<unknown>, completion: Completion<never>, resume: () => void): void {
    if (isClosed) completion.reject(closed())
    else if (discovery.failure() !== undefined) completion.reject(lookupFailed())
    else waiting.add(call, completion, resume)
  }

  return {
    service: originService(),
    balance: balance({ balancer, wait, released: member => origins.released(member) }),
    setCredentialHeaders(headers) {
      credentials.headers = headers
      for (const transport of origins.transports) transport.setCredentialHeaders(headers)
    },
    rejectQueued(reason) {
      waiting.reject(reason)
      for (const transport of origins.transports) transport.rejectQueued(reason)
    },
    connections: () => origins.connections(),
    gauge: () => balancer.gauge(),
    close() {
      isClosed = true
      discovery.close()
      waiting.reject(closed)
      return origins.close()
    },
  }
}
