import { Connection } from './model/connection.ts'
import type { Phase, Timers } from './model/phase.ts'
import { DashboardState } from './model/state.ts'
import { Aggregates } from './view/aggregates.ts'
import { Announcer } from './view/announcer.ts'
import { Banner } from './view/banner.ts'
import { BulkRunsView } from './view/bulk-runs.ts'
import { startExplanations } from './view/explanation.ts'
import { onFrame } from './view/frames.ts'
import { Gate } from './view/key-form.ts'
import { startFilterKeys } from './view/keyboard.ts'
import { RefusedReloadView } from './view/refused-reload.ts'
import { RunList } from './view/run-list.ts'
import { findPlaces, place, type Page, type View } from './view/shell.ts'
import { ServiceLine } from './view/service-line.ts'
import { tabKey } from './view/tab-key.ts'
import { onTheme, startTheme } from './view/theme.ts'
import { Tiles } from './view/tiles.ts'
import { Totals } from './view/totals.ts'
import { UpstreamDetail } from './view/upstream-detail.ts'
import { VerdictView } from './view/verdict.ts'

const key = tabKey()

const timers: Timers = {
  now: () => Date.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

startTheme()
const state = new DashboardState()
const filter = place('filter') as HTMLInputElement
const explanation = place('explanation') as HTMLDialogElement
const announcer = new Announcer()
const serviceLine = new ServiceLine()
const render = onFrame(() => {
  serviceLine.render(state)
  if (state.at === 0) return
  for (const view of views) view.render(state)
})

const connection = new Connection({
  url: '/dashboard/events',
  // The paths are those of the listener; before it may be a proxy with a prefix.
  fetch: (path, init) => fetch(`.${path}`, init),
  key,
  timers,
  onEvent: event => {
    state.apply(event)
    render()
  },
  onPhase: enter,
})
const banner = new Banner(() => connection.open())
const gate = new Gate(
  value => connection.unlock(value),
  () => connection.open(),
)

const page: Page = {
  places: findPlaces(),
  read: (path, accept = 'application/json') => connection.request(path, accept),
  select: name => {
    state.select(name)
    render()
  },
  showAggregate: name => {
    if (aggregates.hides(name)) {
      filter.value = ''
      aggregates.render(state)
      render()
    }
    aggregates.show(name)
  },
  changed: render,
  announce: sentence => announcer.say(sentence),
  onTheme,
}
const filterText = () => filter.value.trim().toLowerCase()
const aggregates = new Aggregates(page, filterText, startExplanations(page))
const views: readonly View[] = [
  new VerdictView(page),
  new Totals(page),
  new RefusedReloadView(page),
  new Tiles(page, filterText),
  new UpstreamDetail(page),
  new RunList(page),
  aggregates,
  new BulkRunsView(page, filterText),
  announcer,
]

function enter(phase: Phase): void {
  const isStale = state.at > 0 && phase.name !== 'live'
  place('main').classList.toggle('stale', isStale)
  if (isStale) place('main').setAttribute('aria-disabled', 'true')
  else place('main').removeAttribute('aria-disabled')
  place('forget').hidden = key.read() === undefined
  serviceLine.show(phase)
  gate.show(phase)
  banner.show(phase, timers.now(), connection.lastEventAt)
  announcer.follow(phase)
  if (phase.name === 'locked') explanation.close()
  render()
}

place('forget').addEventListener('click', () => {
  connection.lock()
  // The numbers that were read with the key leave the memory of the page.
  location.reload()
})
startFilterKeys(filter, render)
// The banner counts seconds; nothing else of the page needs a timer.
setInterval(() => {
  if (connection.phase.name !== 'live') banner.show(connection.phase, timers.now(), connection.lastEventAt)
}, 1000)
document.addEventListener('visibilitychange', () => (document.hidden ? connection.hide() : connection.show()))
connection.open()
if (document.hidden) connection.hide()
