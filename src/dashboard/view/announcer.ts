import type { Phase } from '../model/phase.ts'
import type { DashboardState } from '../model/state.ts'
import type { Health } from '../protocol.ts'
import { healthWords } from './shapes.ts'
import { place, type View } from './shell.ts'

/** The time between two sentences, so that a screen reader can finish one. */
const pauseMs = 5000
const maxNames = 3

/** Says changes of health to users of screen readers: politely, at most one sentence in 5 s. */
export class Announcer implements View {
  readonly #place = place('announcer')
  readonly #health = new Map<string, Health>()
  #sentence = ''
  #isPaused = false
  #names = -1
  #isLost = false

  /** Says a sentence now, or at the end of the pause; the newest one wins. */
  say(sentence: string): void {
    this.#sentence = sentence
    if (!this.#isPaused) this.#speak()
  }

  /** Says that the connection is lost, once, and that the numbers are live. */
  follow({ name }: Phase): void {
    if (name === 'waiting' && !this.#isLost) this.say('The connection to the service is lost.')
    if (name === 'live') this.say('The numbers are live.')
    this.#isLost = name === 'waiting' || name === 'lost'
  }

  render({ upstreams, namesRevision }: DashboardState): void {
    const isFirst = this.#health.size === 0
    if (namesRevision !== this.#names) {
      this.#names = namesRevision
      const names = new Set(upstreams.map(({ name }) => name))
      for (const name of this.#health.keys()) if (!names.has(name)) this.#health.delete(name)
    }
    const changes: string[] = []
    for (const { name, health } of upstreams) {
      const before = this.#health.get(name)
      if (before === health) continue
      this.#health.set(name, health)
      // An upstream that rests and is called again has not changed for its users.
      if (before !== undefined && (isTrouble(before) || isTrouble(health)))
        changes.push(`${name} is ${healthWords[health].toLowerCase()}`)
    }
    if (isFirst || changes.length === 0) return
    const more = changes.length - maxNames
    this.say(`${changes.slice(0, maxNames).join(', ')}${more > 0 ? `, and ${more} more changes` : ''}.`)
  }

  #speak(): void {
    if (this.#sentence === '') return
    this.#place.textContent = this.#sentence
    this.#sentence = ''
    this.#isPaused = true
    setTimeout(() => {
      this.#isPaused = false
      this.#speak()
    }, pauseMs)
  }
}

const isTrouble = (health: Health) => health === 'failing' || health === 'strained'
