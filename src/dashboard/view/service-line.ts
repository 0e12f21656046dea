import { clock, elapsed } from '../model/format.ts'
import type { Phase } from '../model/phase.ts'
import type { DashboardState } from '../model/state.ts'
import { element, TextCell } from './dom.ts'
import { healthSigns } from './shapes.ts'
import { place, type View } from './shell.ts'

/** A difference of the clocks above this is shown, because the times of the page are those of the service. */
const maxOffsetMs = 5000
/** The time for which the page tells of a restart, in ms. */
const restartMs = 60_000

const words = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'No connection',
  waiting: 'No connection',
  locked: 'Locked',
  off: 'Switched off',
  hidden: 'Paused',
  outdated: 'New version',
} as const

/** The line of the connection and of the service: version, workers, restart, clock. It also names the tab. */
export class ServiceLine implements View {
  readonly #connection: TextCell
  readonly #service: TextCell
  #title = ''
  #phase: Phase = { name: 'connecting' }

  constructor() {
    const text = place('connection-text')
    text.textContent = ''
    this.#connection = new TextCell(text)
    const service = element('span')
    place('service').append(service)
    this.#service = new TextCell(service)
  }

  /** Takes the phase of the connection. */
  show(phase: Phase): void {
    this.#phase = phase
    document.documentElement.dataset.phase = phase.name
  }

  render(state: DashboardState): void {
    const { name } = this.#phase
    this.#connection.set(name === 'live' && state.at > 0 ? `Live ${clock(state.at)}` : words[name])
    this.#service.set(serviceWords(state, name === 'live' ? Date.now() - state.at : 0))
    this.#name(titleOf(state, name))
  }

  #name(title: string): void {
    if (title === this.#title) return
    this.#title = title
    document.title = title
  }
}

function serviceWords({ version, workers, restartedAt, at }: DashboardState, offset: number): string {
  const facts: string[] = []
  if (version !== '') facts.push(version)
  if (workers.length > 0) {
    const running = workers.filter(({ state }) => state === 'running').length
    const others = workers
      .filter(({ state }) => state !== 'running')
      .map(({ worker, state }) => `${worker} is ${state}`)
    const all = running === workers.length
    facts.push(all ? `${running} workers` : `${running} of ${workers.length} workers run: worker ${others.join(', ')}`)
  }
  if (restartedAt > 0 && at - restartedAt < restartMs) facts.push(`restarted at ${clock(restartedAt)}`)
  if (Math.abs(offset) > maxOffsetMs)
    facts.push(`its clock is ${elapsed(Math.abs(offset))} ${offset > 0 ? 'behind' : 'ahead of'} this browser`)
  return facts.join(' · ')
}

function titleOf({ upstreams, at }: DashboardState, phase: Phase['name']): string {
  if (phase === 'lost' || phase === 'waiting') return '⚠ No connection · Headwaters'
  if (at === 0 || phase !== 'live') return 'Headwaters dashboard'
  for (const health of ['failing', 'strained'] as const) {
    const names = upstreams.filter(upstream => upstream.health === health).map(({ name }) => name)
    if (names.length > 0) return `${healthSigns[health]} ${names.join(', ')} ${health} · Headwaters`
  }
  return `${healthSigns.healthy} Headwaters dashboard`
}
