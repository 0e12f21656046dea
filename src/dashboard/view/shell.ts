import type { DashboardState } from '../model/state.ts'

/** A part of the page. It is called in an animation frame after the state has changed, and writes only what differs. */
export interface View {
  render(state: DashboardState): void
}

/** The elements of the page in which the views create theirs. */
export interface Places {
  readonly verdict: HTMLElement
  readonly totals: HTMLElement
  readonly upstreams: HTMLElement
  /** The heading of the detail, whose text is the name of the selected upstream. */
  readonly detailTitle: HTMLElement
  /** The detail of the selected upstream. */
  readonly detail: HTMLElement
  readonly aggregates: HTMLElement
  readonly bulk: HTMLElement
  /** The list of runs with its filters, and the waterfall of the open run. */
  readonly runs: HTMLElement
}

/** The services of the page for its views. */
export interface Page {
  readonly places: Places
  /** Requests a path of this listener with the key of the operator. It rejects if there is no answer. */
  read(path: string, accept?: string): Promise<Response>
  /** Selects the upstream whose detail is shown; undefined follows the sickest one. */
  select(upstream: string | undefined): void
  /** Scrolls to the row of an aggregate and gives it the focus. A filter that hides the row is emptied. */
  showAggregate(name: string): void
  /** Renders in the next animation frame. */
  changed(): void
  /** Says a sentence to users of screen readers, politely; at most one in 5 s, the newest wins. */
  announce(sentence: string): void
  /** Calls the listener after the theme or the colours of the system have changed, so that a canvas is drawn again. */
  onTheme(listener: () => void): void
}

/** Returns the places of the page, which are elements of its HTML by their ids. */
export function findPlaces(): Places {
  return {
    verdict: place('verdict'),
    totals: place('totals'),
    upstreams: place('upstreams-body'),
    detailTitle: place('detail-title'),
    detail: place('detail-body'),
    aggregates: place('aggregates-body'),
    bulk: place('bulk-body'),
    runs: place('runs-body'),
  }
}

/** Returns an element of the HTML of the page. */
export function place(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element #${id}: page.ts and shell.ts differ`)
  return found
}
