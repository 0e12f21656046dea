import type {
  BreakerChange,
  DashboardEvent,
  Health,
  Hello,
  RefusedReload,
  Sample,
  Verdict,
  WorkerSample,
} from '../protocol.ts'
import { AggregateState } from './aggregate-state.ts'
import { BulkRunsState } from './bulk-state.ts'
import { RunRows } from './run-rows.ts'
import { createSeries, points, push } from './series.ts'
import { UpstreamState } from './upstream-state.ts'

/** The time over which rates and shares are computed, in ms. */
const measuredMs = 10_000
const maxBreakerChanges = 50

/** The health from the worst to the best. */
export const byTrouble: readonly Health[] = ['failing', 'strained', 'off', 'healthy', 'idle']

/**
 * Everything that the page shows. `apply` changes it in place; a view compares the revisions to find out which part
 * has changed. Moments are those of the service.
 */
export class DashboardState {
  /** Changes when upstreams or aggregates are new objects: with each first event of a connection. */
  namesRevision = 0
  /** Changes with each sample. */
  sampleRevision = 0
  /** Changes when rows of runs were added or removed. */
  runsRevision = 0
  /** Changes when another upstream is selected. */
  selectionRevision = 0

  boot = ''
  version = ''
  keptRuns = true
  /** The moment of the first sample after a restart of the service while the page was open; 0 without one. */
  restartedAt = 0
  /** The moment of the last sample, in ms since 1970. */
  at = 0
  /** The time between two samples, in ms. */
  every = 500
  verdict: Verdict = { health: 'idle', sentences: [] }
  workers: readonly WorkerSample[] = []
  /** The last reload of the definitions, if it was refused. */
  refused: RefusedReload | undefined
  /** In the order of their declaration. */
  upstreams: readonly UpstreamState[] = []
  aggregates: readonly AggregateState[] = []
  /** The moment of each point of all series, in ms since 1970. */
  readonly times = createSeries(0)
  /** The last changes of circuit breakers, oldest first. */
  readonly breakers: BreakerChange[] = []
  readonly runs = new RunRows()
  readonly bulk = new BulkRunsState()
  /** The upstream whose detail is shown; undefined without upstreams. */
  selected: UpstreamState | undefined
  /** `true` if the user has selected it; otherwise it is the sickest. */
  isChosen = false

  /** The number of samples since the last first event. */
  #live = 0
  #upstreamRows: (Sample['upstreams'][number] | undefined)[] = []
  #aggregateRows: (Sample['aggregates'][number] | undefined)[] = []

  /** Takes one event. */
  apply(event: DashboardEvent): void {
    switch (event.type) {
      case 'hello':
        return this.#hello(event)
      case 'sample':
        return this.#sample(event)
      case 'runs':
        this.runs.add(event)
        this.runsRevision++
        return
      case 'bulk':
        return this.bulk.apply(event)
      case 'breaker':
        return this.#breaker(event)
      case 'bye':
    }
  }

  /** Returns the last changes of the circuit breaker of an upstream, oldest first. */
  breakerChanges(upstream: string, most: number): readonly BreakerChange[] {
    return this.breakers.filter(change => change.upstream === upstream).slice(-most)
  }

  /** Selects an upstream by name; an unknown name, or none, selects the sickest. */
  select(name: string | undefined): void {
    const chosen = this.upstreams.find(upstream => upstream.name === name)
    this.isChosen = chosen !== undefined
    this.#show(chosen ?? this.#sickest())
  }

  #hello(hello: Hello): void {
    if (this.boot !== '' && this.boot !== hello.boot) {
      this.restartedAt = hello.at
      this.runs.clear()
    }
    this.boot = hello.boot
    this.#live = 0
    this.version = hello.version
    this.keptRuns = hello.keptRuns
    this.every = hello.every
    const { history } = hello
    for (let at = 0; at < points; at++) this.times[at] = hello.at - (points - 1 - at) * hello.every
    this.upstreams = hello.upstreams.map((info, index) => new UpstreamState(index, info))
    this.aggregates = hello.aggregates.map((info, index) => new AggregateState(index, info))
    history.upstreams.forEach((series, index) => this.upstreams[index]?.fillShort(series, this.times, history))
    history.aggregates.forEach((series, index) => this.aggregates[index]?.fillShort(series, this.times, history))
    this.#upstreamRows = Array.from(this.upstreams, () => undefined)
    this.#aggregateRows = Array.from(this.aggregates, () => undefined)
    // The history has its counts.
    for (const row of hello.now.upstreams) this.upstreams[row.index]?.set(row)
    for (const row of hello.now.aggregates) this.aggregates[row.index]?.set(row)
    this.breakers.length = 0
    this.breakers.push(...hello.breakers)
    this.runs.merge(hello.runs)
    this.runsRevision++
    this.bulk.apply(hello.bulk)
    this.namesRevision++
    const name = this.selected?.name
    this.selected = undefined
    this.#finish(hello.now)
    if (this.isChosen) this.select(name)
  }

  #breaker(change: BreakerChange): void {
    this.breakers.push(change)
    if (this.breakers.length > maxBreakerChanges) this.breakers.shift()
    const upstream = this.upstreams.find(({ name }) => name === change.upstream)
    if (upstream !== undefined) upstream.breaker = change.to
  }

  #sample(sample: Sample): void {
    this.#live++
    push(this.times, sample.at)
    for (const row of sample.upstreams) this.#upstreamRows[row.index] = row
    for (const row of sample.aggregates) this.#aggregateRows[row.index] = row
    for (const upstream of this.upstreams) {
      upstream.push(this.#upstreamRows[upstream.index])
      this.#upstreamRows[upstream.index] = undefined
    }
    for (const aggregate of this.aggregates) {
      aggregate.push(this.#aggregateRows[aggregate.index])
      this.#aggregateRows[aggregate.index] = undefined
    }
    this.#finish(sample)
  }

  #finish({ at, verdict, workers, refused }: Sample): void {
    this.at = at
    this.verdict = verdict
    this.workers = workers
    this.refused = refused
    const count = Math.min(points - 1, Math.round(measuredMs / this.every))
    const seconds = ((this.times[points - 1] as number) - (this.times[points - 1 - count] as number)) / 1000
    for (const upstream of this.upstreams) upstream.measure(count, seconds, this.#live)
    for (const aggregate of this.aggregates) aggregate.measure(count, seconds)
    this.sampleRevision++
    if (!this.isChosen) this.#show(this.#sickest())
  }

  #show(upstream: UpstreamState | undefined): void {
    if (upstream === this.selected) return
    this.selected = upstream
    this.selectionRevision++
  }

  // The present one stays unless another is worse, so that the detail does not flicker.
  #sickest(): UpstreamState | undefined {
    let found = this.selected ?? this.upstreams[0]
    for (const upstream of this.upstreams)
      if (found === undefined || byTrouble.indexOf(upstream.health) < byTrouble.indexOf(found.health)) found = upstream
    return found
  }
}
