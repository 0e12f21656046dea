/** The sign of a value that does not exist, such as a percentile without attempts. */
export const absent = '–'

/** A space that does not break and is narrower than a plain one: it joins a number with its unit. */
const gap = '\u202f'

/** Returns a whole number with groups of three digits: `1 040`. */
export function count(value: number): string {
  const digits = String(Math.round(value))
  if (digits.length < 4) return digits
  let text = ''
  for (let at = 0; at < digits.length; at++)
    text += (at > 0 && (digits.length - at) % 3 === 0 && digits[at - 1] !== '-' ? gap : '') + (digits[at] as string)
  return text
}

/** Returns a rate per second without its unit: `0`, `0.4`, `12`, `1 040`, `120k`. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0'
  if (perSecond < 0.05) return '<0.1'
  if (perSecond < 9.95) return perSecond.toFixed(1)
  return perSecond < 99_950 ? count(perSecond) : `${count(perSecond / 1000)}k`
}

/**
 * Returns a share from 0 to 1 in percent: `0 %`, `<0.1 %`, `2.3 %`, `94 %`. Only a share of 1 is `100 %`, and only a
 * share of 0 is `0 %`.
 */
export function share(value: number): string {
  if (Number.isNaN(value)) return absent
  const percent = value * 100
  if (percent === 0) return `0${gap}%`
  if (percent < 0.1) return `<0.1${gap}%`
  if (percent < 9.95) return `${percent.toFixed(1)}${gap}%`
  if (percent > 99 && percent < 100) return `${Math.min(percent, 99.9).toFixed(1)}${gap}%`
  return `${Math.round(percent)}${gap}%`
}

/** Returns a duration that was measured, in ms: `0.4 ms`, `41 ms`, `1 200 ms`, `12.4 s`. */
export function latency(ms: number): string {
  if (Number.isNaN(ms)) return absent
  if (ms < 9.95) return `${ms.toFixed(1)}${gap}ms`
  return ms < 9999.5 ? `${count(ms)}${gap}ms` : `${(ms / 1000).toFixed(1)}${gap}s`
}

/** Returns the number of available origins and that of all: `8/10`. */
export function availableOf({ all, out }: { readonly all: number; readonly out: number }): string {
  return `${all - out}/${all}`
}

/** Returns the time since an event in its two largest units: `8 s`, `2 min 10 s`, `1 h 5 min`, `3 d 4 h`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}${gap}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return pair(minutes, 'min', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? pair(hours, 'h', minutes % 60, 'min') : pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** Returns the time of a moment in the time zone of the browser: `01:02:03`. */
export function clock(at: number): string {
  const date = new Date(at)
  return `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`
}

/** Returns the time of a moment, with its day if it is not the day of the present: `01:02:03`, `7 Dec 01:02`. */
export function moment(at: number, now: number): string {
  const date = new Date(at)
  if (date.toDateString() === new Date(now).toDateString()) return clock(at)
  return `${day(at)} ${clock(at).slice(0, -3)}`
}

/** Returns the day of a moment in the time zone of the browser: `7 Dec`. */
export function day(at: number): string {
  const date = new Date(at)
  return `${date.getDate()} ${months[date.getMonth()] as string}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const pair = (large: number, largeUnit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large}${gap}${largeUnit}` : `${large}${gap}${largeUnit} ${small}${gap}${smallUnit}`

const twoDigits = (value: number) => (value < 10 ? `0${value}` : String(value))
