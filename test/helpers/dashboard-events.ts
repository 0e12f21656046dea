import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { addPageRoutes } from '../../src/admin/dashboard/page-routes.ts'
import { setImmediate as turn } from 'node:timers/promises'
import type { BulkRuns, DashboardEvent, Sample } from '../../src/dashboard/protocol.ts'
import { largeFleet, shopFleet, type FleetShape } from './fleet-shapes.ts'
import { listRuns } from './listed-runs.ts'
import { every, SimulatedFleet } from './simulated-fleet.ts'

/** What the invented service goes through. */
export type Scenario = 'healthy' | 'failing' | 'many' | 'lost'

export interface DashboardEventsOptions {
  readonly scenario: Scenario
  /** @default 1 */
  readonly seed?: number
  /** Time from the first event of a reader to the moment at which an upstream begins to fail, in ms. @default -40000 */
  readonly failsAfter?: number
  /** In the scenario `lost`: time from the first event to the end of the connection, in ms. @default 4000 */
  readonly lostAfter?: number
  /** The key that all replies with data require. @default none */
  readonly key?: string
  /** The port. @default 0, a free one */
  readonly port?: number
  /** The moment of the first event, in ms since 1970. @default the present */
  readonly startAt?: number
}

/** Two minutes of samples, which a reader gets with its first event. */
const warmUpMs = 120_000

/**
 * Serves the page of the dashboard as the admin listener does, and streams invented events to it. The events depend on
 * the seed and the scenario only; times are those of the events, so that they can be replayed at any speed.
 */
export class DashboardEvents {
  readonly fleet: SimulatedFleet
  /** Changes each event before it is sent. @default events are sent as the fleet makes them */
  alter: (event: DashboardEvent) => DashboardEvent = event => event
  readonly #options: DashboardEventsOptions
  readonly #server: Server
  /** The page and its files, as the admin listener serves them. */
  readonly #files: FastifyInstance = fastify()
  readonly #readers = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #isLost = false
  #isClosed = false
  #reads = 0

  constructor(options: DashboardEventsOptions) {
    this.#options = options
    const { scenario, seed = 1, failsAfter = -40_000, startAt = Date.now() } = options
    const isSick = scenario === 'failing' || scenario === 'lost'
    const shape: FleetShape = scenario === 'many' ? largeFleet(seed) : shopFleet(isSick)
    this.fleet = new SimulatedFleet({ shape, seed, startAt: startAt - warmUpMs, failsAt: startAt + failsAfter })
    for (let left = warmUpMs / every; left > 0; left--) this.fleet.tick()
    addPageRoutes(this.#files)
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  /** The origin of the server. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The address of the page. */
  get url(): string {
    return `${this.origin}/dashboard`
  }

  /** The number of connections that now read the events. */
  get readers(): number {
    return this.#readers.size
  }

  /** The number of connections that have begun to read the events. */
  get reads(): number {
    return this.#reads
  }

  async listen(): Promise<this> {
    await this.#files.ready()
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
    await this.#files.close()
  }

  /** Cuts all connections, and refuses new ones until `comeBack`. */
  lose(): void {
    this.#isLost = true
    for (const reader of this.#readers) reader.destroy()
  }

  comeBack(): void {
    this.#isLost = false
  }

  /** Sends a first event to all readers, as after a reload of the definitions. */
  reload(): void {
    this.#send(this.fleet.hello())
  }

  /** Sends the bulk runs to all readers. A later reader gets them with its first event. */
  sendBulk(event: BulkRuns): void {
    this.fleet.bulk = event
    this.#send(event)
  }

  /**
   * Replays events as fast as the page reads them, until `ms` more have passed on the clock of the service; afterwards
   * events come at their own pace again.
   */
  async replay(ms: number): Promise<void> {
    clearTimeout(this.#timer)
    for (let left = ms / every; left > 0 && !this.#isClosed; left--) {
      this.#tick()
      const full = [...this.#readers].filter(reader => reader.writableNeedDrain)
      await Promise.all(full.map(reader => Promise.race([once(reader, 'drain'), once(reader, 'close')])))
      if (full.length === 0) await turn()
    }
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#readers.size === 0 || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#tick()
      this.#schedule()
    }, every)
  }

  #tick(): void {
    const { sample, breakers, runs } = this.fleet.tick()
    for (const change of breakers) this.#send(change)
    this.#send(sample)
    if (runs.rows.length > 0) this.#send(runs)
  }

  #send(event: DashboardEvent): void {
    if (this.#readers.size === 0) return
    const text = eventText(this.alter(event))
    for (const reader of this.#readers) reader.write(text)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (this.#isLost) return void request.destroy()
    if (url.pathname === '/dashboard' || url.pathname.startsWith('/dashboard/assets/'))
      return this.#files.routing(request, response)
    const { key } = this.#options
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`)
      return sendJson(response, 401, { code: 'UNAUTHENTICATED', status: 401, title: 'Not authenticated' })
    if (url.pathname === '/dashboard/events') return this.#stream(response)
    const value = this.#find(url)
    if (value === undefined) sendJson(response, 404, { code: 'NOT_FOUND', status: 404, title: 'Not found' })
    else sendJson(response, 200, value)
  }

  #find({ pathname, searchParams }: URL): unknown {
    const [, first, second, third] = pathname.split('/').map(decodeURIComponent)
    if (first === 'requests' && second === undefined) return listRuns(this.fleet.kept, searchParams)
    if (first === 'requests') return this.fleet.kept.get(second ?? '')
    return first === 'dashboard' && second === 'upstreams' ? this.fleet.historyOf(third ?? '') : undefined
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(eventText(this.alter(this.fleet.hello())))
    this.#reads++
    this.#readers.add(response)
    response.on('close', () => {
      this.#readers.delete(response)
    })
    this.#schedule()
    if (this.#options.scenario !== 'lost') return
    const timer = setTimeout(() => this.lose(), this.#options.lostAfter ?? 4000)
    response.on('close', () => clearTimeout(timer))
  }
}

/** Returns a function that changes the samples, also that of a first event. */
export function withSample(change: (sample: Sample) => Sample) {
  return (event: DashboardEvent): DashboardEvent =>
    event.type === 'sample' ? change(event) : event.type === 'hello' ? { ...event, now: change(event.now) } : event
}

function eventText(event: DashboardEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}

/** Starts a server of the page for one test. */
export async function dashboardEvents(
  t: { teardown(fn: () => unknown): void },
  options: DashboardEventsOptions,
): Promise<DashboardEvents> {
  const served = await new DashboardEvents(options).listen()
  t.teardown(() => served.close())
  return served
}

// `node test/helpers/dashboard-events.ts failing 9500` serves the page until the process is ended.
if (import.meta.main) {
  const [scenario = 'failing', port = '0'] = process.argv.slice(2)
  const served = await new DashboardEvents({ scenario: scenario as Scenario, port: Number(port) }).listen()
  process.stdout.write(`${served.url}\n`)
}
