import { hash } from '../../src/demo-upstreams/random.ts'

/** One upstream of a simulated fleet. */
export interface FleetUpstream {
  readonly name: string
  readonly origin: string
  readonly operations: readonly string[]
  /** Median time of an answer while it is well, in ms. */
  readonly medianMs: number
  readonly limit: number
  /** Share of the calls that the cache answers, or `null` without a cache. */
  readonly cached: number | null
  readonly isHedged: boolean
  readonly story: 'healthy' | 'failing' | 'strained' | 'idle' | 'off'
}

/** One step of a simulated aggregate: each run sends `calls` calls to one upstream. */
export interface FleetStep {
  readonly name: string
  readonly kind: 'required' | 'optional' | 'each'
  readonly upstream: number
  readonly operation: string
  readonly calls: number
  readonly needs: readonly string[]
}

export interface FleetAggregate {
  readonly name: string
  readonly url: string
  readonly steps: readonly FleetStep[]
  readonly runsPerSecond: number
  /** In ms. */
  readonly deadline: number
}

/** What a simulated fleet consists of. */
export interface FleetShape {
  readonly upstreams: readonly FleetUpstream[]
  readonly aggregates: readonly FleetAggregate[]
}

const shop = [
  ['accounts', ['byId', 'addresses'], 18, 32, 0.35, false],
  ['catalog', ['product', 'variants'], 26, 64, 0.62, true],
  ['inventory', ['stock'], 22, 32, null, false],
  ['pricing', ['price', 'discounts'], 31, 48, null, true],
  ['recommendations', ['similar'], 74, 24, 0.48, true],
  ['reviews', ['ofProduct'], 48, 24, 0.71, false],
  ['shipping', ['estimate'], 95, 16, null, false],
] as const

const shopAggregates = [
  ['product-page', '/v1/products/{id}', 212, 800, ['catalog!', 'pricing!', 'inventory', 'reviews', 'recommendations']],
  ['cart', '/v1/cart', 96, 600, ['accounts!', 'pricing*', 'inventory!', 'shipping']],
  ['search', '/v1/search', 148, 500, ['catalog!', 'pricing']],
  ['home', '/v1/home', 121, 700, ['catalog!', 'recommendations', 'accounts']],
  ['order-status', '/v1/orders/{id}', 34, 1200, ['accounts!', 'shipping!']],
] as const

/** A shop of seven upstreams and five aggregates. With `isFailing` the upstream `inventory` fails from the set moment. */
export function shopFleet(isFailing: boolean): FleetShape {
  const upstreams = shop.map(([name, operations, medianMs, limit, cached, isHedged]): FleetUpstream => ({
    name,
    origin: `https://${name}.internal.example`,
    operations,
    medianMs,
    limit,
    cached,
    isHedged,
    story: isFailing && name === 'inventory' ? 'failing' : 'healthy',
  }))
  const aggregates = shopAggregates.map(([name, url, runsPerSecond, deadline, uses]): FleetAggregate => ({
    name,
    url,
    runsPerSecond,
    deadline,
    steps: uses.map((use, index) => stepOf(use, index, upstreams, uses[0])),
  }))
  return { upstreams, aggregates }
}

function stepOf(use: string, index: number, upstreams: readonly FleetUpstream[], first: string): FleetStep {
  const name = use.endsWith('!') || use.endsWith('*') ? use.slice(0, -1) : use
  const upstream = upstreams.findIndex(each => each.name === name)
  return {
    name,
    kind: use.endsWith('!') ? 'required' : use.endsWith('*') ? 'each' : 'optional',
    upstream,
    operation: `${name}.${upstreams[upstream]?.operations[0]}`,
    calls: use.endsWith('*') ? 3 : 1,
    needs: index < 2 ? [] : [first.slice(0, -1)],
  }
}

const domains = ['account', 'billing', 'catalog', 'delivery', 'events', 'fraud', 'geo', 'identity', 'ledger', 'media']
const parts = ['api', 'search', 'profile', 'history', 'quotes', 'limits']
const views = ['summary', 'detail', 'list', 'feed', 'export', 'status', 'timeline', 'badge', 'card', 'report']
const variants = ['', '-mobile']

/** A fleet of 60 upstreams and 200 aggregates: one upstream fails, three are strained, four are idle and one is off. */
export function largeFleet(seed: number): FleetShape {
  const upstreams = domains.flatMap((domain, row) =>
    parts.map((part, column): FleetUpstream => {
      const index = row * parts.length + column
      return {
        name: `${domain}-${part}`,
        origin: `https://${part}.${domain}.internal.example`,
        operations: ['get', 'list'],
        medianMs: 8 + (hash(seed, index) % 90),
        limit: 16 << (hash(seed, index + 100) % 3),
        cached: hash(seed, index + 200) % 3 === 0 ? 0.4 : null,
        isHedged: hash(seed, index + 300) % 4 === 0,
        story: stories[index] ?? 'healthy',
      }
    }),
  )
  const aggregates = domains.flatMap((domain, row) =>
    views.flatMap((view, column) =>
      variants.map((variant, turn): FleetAggregate => {
        const index = (row * views.length + column) * variants.length + turn
        const uses = [0, 1, 2, 3].slice(0, 2 + (hash(seed, index + 400) % 3))
        return {
          name: `${domain}-${view}${variant}`,
          url: `/v1/${domain}/${view}${variant}`,
          runsPerSecond: 0.5 + (hash(seed, index + 500) % 80) / (1 + (index % 17)),
          deadline: 400 + 100 * (hash(seed, index + 600) % 9),
          steps: uses.map(use => stepOfLarge(upstreams, (row * 6 + (hash(seed, index * 4 + use) % 14)) % 60, use)),
        }
      }),
    ),
  )
  return { upstreams, aggregates }
}

const stories: Readonly<Record<number, FleetUpstream['story']>> = {
  7: 'strained',
  11: 'idle',
  22: 'failing',
  31: 'idle',
  38: 'strained',
  44: 'off',
  46: 'idle',
  53: 'strained',
  59: 'idle',
}

function stepOfLarge(upstreams: readonly FleetUpstream[], upstream: number, use: number): FleetStep {
  const { name = '' } = upstreams[upstream] ?? {}
  return {
    name: `${name}-${use}`,
    kind: use === 0 ? 'required' : 'optional',
    upstream,
    operation: `${name}.get`,
    calls: 1,
    needs: [],
  }
}
