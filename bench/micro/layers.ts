// node bench/micro/layers.ts: measures the cost of a layer that only passes the call on.
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import { stack } from '../../src/upstream/call/layer.ts'
import type { Answer, Layer, Service } from '../../src/upstream/call/layer.ts'

const depths = [0, 1, 2, 4, 6, 8]
const rounds = 200
const callsPerRound = 5_000

const kinds: Record<string, Layer> = {
  'next => call => next(call)': next => call => next(call),
  'next => async call => await next(call)': next => async call => {
    const answer = await next(call)
    return answer
  },
}

// These layers use neither the call nor the answer.
const call = {} as LiveCall<unknown>
const answer = Promise.resolve({ value: undefined, status: 200 }) as Promise<Answer<never>>

for (const [shape, layer] of Object.entries(kinds)) {
  const services = depths.map(depth =>
    stack(
      Array.from({ length: depth }, () => layer),
      () => answer,
    ),
  )
  const nanos = await bestOf(services)
  console.log(shape)
  depths.forEach((depth, index) =>
    console.log(`  ${depth} layers  ${(nanos[index] ?? NaN).toFixed(0).padStart(5)} ns a call`),
  )
  console.log(`  slope     ${(slope(depths, nanos) / 1000).toFixed(4)} µs a layer\n`)
}

/**
 * Returns the lowest cost of a call for each service, in ns. The services take turns, so that a slow phase of the
 * machine affects all of them. The minimum over many rounds is the value without disturbance.
 */
async function bestOf(services: readonly Service[]) {
  const best = services.map(() => Infinity)
  for (let round = 0; round < rounds; round++) {
    for (const [index, service] of services.entries()) {
      const startedAt = process.hrtime.bigint()
      for (let i = 0; i < callsPerRound; i++) await service(call)
      const nanos = Number(process.hrtime.bigint() - startedAt) / callsPerRound
      best[index] = Math.min(best[index] ?? Infinity, nanos)
    }
  }
  return best
}

/** Returns the slope of a line that is fitted by least squares. */
function slope(xs: readonly number[], ys: readonly number[]) {
  const meanX = xs.reduce((sum, x) => sum + x, 0) / xs.length
  const meanY = ys.reduce((sum, y) => sum + y, 0) / ys.length
  const covariance = xs.reduce((sum, x, i) => sum + (x - meanX) * ((ys[i] ?? NaN) - meanY), 0)
  return covariance / xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0)
}
