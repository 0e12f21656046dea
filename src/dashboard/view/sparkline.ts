import { points, type Series } from '../model/series.ts'
import { drawing } from './dom.ts'

const height = 100
/** The share of a point is that of the attempts of the last 3 s, so that one attempt is not a spike. */
const window = 6

/**
 * The failed share of the attempts over two minutes, as an area from 0 to 100 percent. A time without attempts keeps
 * the share before it: an open circuit breaker sends none.
 */
export class Sparkline {
  readonly node = drawing('svg', {
    class: 'spark',
    viewBox: `0 0 ${points} ${height}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
    focusable: 'false',
  })
  readonly #area = drawing('path', { class: 'spark-area' })
  #path = ''

  constructor() {
    this.node.append(this.#area)
  }

  draw(attempts: Series, failed: Series): void {
    const path = areaOf(attempts, failed)
    if (path === this.#path) return
    this.#path = path
    this.#area.setAttribute('d', path)
  }
}

/** Returns the outline of the area. Equal shares in a row are one line, so that a healthy upstream has a short text. */
function areaOf(attempts: Series, failed: Series): string {
  let sent = 0
  let lost = 0
  let level = 0
  let path = `M0 ${height}`
  for (let at = 0; at < points; at++) {
    sent += (attempts[at] ?? 0) - (attempts[at - window] ?? 0)
    lost += (failed[at] ?? 0) - (failed[at - window] ?? 0)
    const share = sent > 0.001 ? Math.min(1, Math.max(0, lost / sent)) : undefined
    // A share below 4 percent is drawn as 4: it must be seen.
    const next = share === undefined ? level : share < 0.001 ? 0 : Math.round(height * Math.max(0.04, share))
    if (next !== level) path += `H${at}V${height - next}`
    level = next
  }
  return path === `M0 ${height}` ? '' : `${path}H${points}V${height}Z`
}
