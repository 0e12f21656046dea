import { points, type Series } from '../model/series.ts'
import { drawing } from './dom.ts'

const height = 100
/** The share of a point is that of the attempts of the last 3 s, so that one attempt is not a spike. */
const window = 6

/**
 * Two minutes of an upstream: the failed share of its attempts as an area from 0 to 100 percent, and behind it the
 * attempts. A time without attempts keeps the share before it: an open circuit breaker sends none.
 */
export class Sparkline {
  readonly node = drawing('svg', {
    class: 'spark',
    viewBox: `0 0 ${points} ${height}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
    focusable: 'false',
  })
  readonly #traffic = drawing('path', { class: 'spark-traffic' })
  readonly #area = drawing('path', { class: 'spark-area' })
  #path = ''

  constructor() {
    this.node.append(this.#traffic, this.#area)
  }

  draw(attempts: Series, failed: Series): void {
    this.#traffic.setAttribute('d', trafficOf(attempts))
    const path = shareOf(attempts, failed)
    if (path === this.#path) return
    this.#path = path
    this.#area.setAttribute('d', path)
  }
}

/** Returns the outline of the attempts per second and a half; the largest number has four fifths of the height. */
function trafficOf(attempts: Series): string {
  let most = 0
  let path = ''
  for (let at = 0; at + 2 < points; at += 3) most = Math.max(most, sumAt(attempts, at))
  if (most === 0) return ''
  for (let at = 0; at + 2 < points; at += 3) {
    const y = height - Math.round((0.8 * height * sumAt(attempts, at)) / most)
    // The last point is at the right side.
    path += `${at === 0 ? 'M' : 'L'}${((at * points) / (points - 3)).toFixed(1)} ${y}`
  }
  return `${path}V${height}H0Z`
}

const sumAt = (values: Series, at: number) => (values[at] ?? 0) + (values[at + 1] ?? 0) + (values[at + 2] ?? 0)

/** Returns the outline of the share. Equal shares in a row are one line, so that a healthy upstream has a short text. */
function shareOf(attempts: Series, failed: Series): string {
  let sent = 0
  let lost = 0
  let level = 0
  let path = `M0 ${height}`
  for (let at = 0; at < points; at++) {
    sent += (attempts[at] ?? 0) - (attempts[at - window] ?? 0)
    lost += (failed[at] ?? 0) - (failed[at - window] ?? 0)
    const share = sent > 0.001 ? Math.min(1, Math.max(0, lost / sent)) : undefined
    // Below 1 percent the number in the tile suffices; a share above it must be seen.
    const next = share === undefined ? level : share < 0.01 ? 0 : Math.round(height * Math.max(0.06, share))
    if (next !== level) path += `H${at}V${height - next}`
    level = next
  }
  return path === `M0 ${height}` ? '' : `${path}H${points}V${height}Z`
}
