/** One place in a line; whoever stands in it can leave from anywhere at once. */
export interface QueueNode<P extends QueueNode<P>> {
  line: LinkedQueue<P> | undefined
  before: P | undefined
  after: P | undefined
}

/** First come, first served, and a leaver costs the others nothing. */
export class LinkedQueue<P extends QueueNode<P>> {
  first: P | undefined
  #last: P | undefined
  size = 0

  join(place: P): void {
    place.line = this
    place.before = this.#last
    place.after = undefined
    if (this.#last === undefined) this.first = place
    else this.#last.after = place
    this.#last = place
    this.size++
  }

  leave(place: P): void {
    const { before, after } = place
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    place.line = undefined
    // One that is dead and old would keep all that came after it from dying young.
    place.before = place.after = undefined
    this.size--
  }
}
