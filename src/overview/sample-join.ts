import type { AggregateCounts, IndexedCounts, NamedCounts, ProcessSample, UpstreamCounts } from './process-sample.ts'
import { aggregateCountNames, upstreamCountNames, upstreamGaugeNames } from './process-sample.ts'

/** The present values of which the largest one of all processes counts, not the sum. */
const largest: ReadonlySet<string> = new Set(['breaker', 'origins', 'originsOut'])

/** Numbers that are added up by their key. */
class Sums<K> {
  readonly #sums = new Map<K, number>()

  add(key: K, count: number): void {
    this.#sums.set(key, (this.#sums.get(key) ?? 0) + count)
  }

  entries(): [K, number][] {
    return [...this.#sums]
  }
}

/** The counts of several processes for one name since the last joined sample. */
class JoinedCounts {
  readonly counts: number[]
  readonly #latency = new Sums<number>()
  readonly names: readonly [Sums<string>, Sums<string>] = [new Sums(), new Sums()]

  constructor(length: number) {
    this.counts = Array.from({ length }, () => 0)
  }

  add(counts: readonly number[], latency: IndexedCounts, ...names: readonly NamedCounts[]): void {
    for (const [at, count] of counts.entries()) this.counts[at] = (this.counts[at] as number) + count
    for (let at = 0; at < latency.length; at += 2) this.#latency.add(latency[at] as number, latency[at + 1] as number)
    for (const [at, named] of names.entries()) for (const [name, count] of named) this.names[at]?.add(name, count)
  }

  get latency(): IndexedCounts {
    return this.#latency.entries().flat()
  }
}

/**
 * Joins the samples of several processes to those of one: counts are added up, and so are permits and queues. A circuit
 * breaker and the origins have the worst state of all processes. The present values of a process that has exited are
 * gone.
 *
 * @typeParam Process - Identifies a process.
 */
export class SampleJoin<Process> {
  #upstreams = new Map<string, JoinedCounts>()
  #aggregates = new Map<string, JoinedCounts>()
  /** The last present values of each process, by upstream. */
  readonly #gauges = new Map<Process, Map<string, readonly number[]>>()

  /** Adds the sample of a process. */
  add(sender: Process, { upstreams, aggregates }: ProcessSample): void {
    let gauges = this.#gauges.get(sender)
    if (gauges === undefined) this.#gauges.set(sender, (gauges = new Map()))
    for (const { name, counts, gauges: present, latency, failures } of upstreams) {
      gauges.set(name, present)
      this.#upstream(name).add(counts, latency, failures)
    }
    for (const { name, counts, latency, codes, statuses } of aggregates) {
      let joined = this.#aggregates.get(name)
      if (joined === undefined) this.#aggregates.set(name, (joined = new JoinedCounts(aggregateCountNames.length)))
      joined.add(counts, latency, codes, statuses)
    }
  }

  /** Removes the present values of a process that has exited. What it has counted stays. */
  delete(sender: Process): void {
    for (const name of this.#gauges.get(sender)?.keys() ?? []) this.#upstream(name)
    this.#gauges.delete(sender)
  }

  /** Returns the sum of the samples since the last call, and the present values. */
  take(): ProcessSample {
    const upstreams = Array.from(this.#upstreams, ([name, { counts, latency, names }]): UpstreamCounts => ({
      name,
      counts,
      gauges: this.#gaugesOf(name),
      latency,
      failures: names[0].entries(),
    }))
    const aggregates = Array.from(this.#aggregates, ([name, { counts, latency, names }]): AggregateCounts => ({
      name,
      counts,
      latency,
      codes: names[0].entries(),
      statuses: names[1].entries(),
    }))
    this.#upstreams = new Map()
    this.#aggregates = new Map()
    return { upstreams, aggregates }
  }

  #upstream(name: string): JoinedCounts {
    let joined = this.#upstreams.get(name)
    if (joined === undefined) this.#upstreams.set(name, (joined = new JoinedCounts(upstreamCountNames.length)))
    return joined
  }

  #gaugesOf(name: string): number[] {
    const sums = upstreamGaugeNames.map(() => 0)
    for (const gauges of this.#gauges.values())
      for (const [at, value] of (gauges.get(name) ?? []).entries()) {
        const sum = sums[at] as number
        sums[at] = largest.has(upstreamGaugeNames[at] as string) ? Math.max(sum, value) : sum + value
      }
    return sums
  }
}
