/** One place in a line; whoever stands in it can leave from anywhere at once. */
export interface QueueNode<P extends QueueNode<P>> {
  queue: LinkedQueue<P> | undefined
  previousInQueue: P | undefined
  nextInQueue: P | undefined
}

/** First come, first served, and a leaver costs the others nothing. */
export class LinkedQueue<P extends QueueNode<P>> {
  first: P | undefined
  #last: P | undefined
  size = 0

  add(place: P): void {
    place.queue = this
    place.previousInQueue = this.#last
    place.nextInQueue = undefined
    if (this.#last === undefined) this.first = place
    else this.#last.nextInQueue = place
    this.#last = place
    this.size++
  }

  remove(place: P): void {
    const { previousInQueue: before, nextInQueue: after } = place
    if (before === undefined) this.first = after
    else before.nextInQueue = after
    if (after === undefined) this.#last = before
    else after.previousInQueue = before
    place.queue = undefined
    // One that is dead and old would keep all that came after it from dying young.
    place.previousInQueue = place.nextInQueue = undefined
    this.size--
  }
}
