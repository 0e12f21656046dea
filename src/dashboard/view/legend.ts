import type { UpstreamState } from '../model/upstream-state.ts'
import { byTrouble } from '../model/state.ts'
import type { Health } from '../protocol.ts'
import { element, TextCell } from './dom.ts'
import { HealthShape } from './shapes.ts'

/** The number of upstreams of each health, beside its shape: the key of the tiles. */
export class Legend {
  readonly node = element('ul', { class: 'legend', attributes: { 'aria-label': 'Number of upstreams by health' } })
  readonly #entries = byTrouble.map(health => {
    const text = element('span')
    const node = element('li', { class: 'legend-entry', hidden: true }, new HealthShape(health).node, text)
    node.dataset.health = health
    this.node.append(node)
    return { health, node, cell: new TextCell(text) }
  })

  render(upstreams: readonly UpstreamState[]): void {
    for (const { health, node, cell } of this.#entries) {
      const number = countOf(upstreams, health)
      node.hidden = number === 0
      cell.set(`${number} ${health}`)
    }
  }
}

function countOf(upstreams: readonly UpstreamState[], wanted: Health): number {
  let number = 0
  for (const { health } of upstreams) if (health === wanted) number++
  return number
}
