const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const longDayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Reads a date in one of the three forms of RFC 9110, section 5.6.7:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT    IMF-fixdate, of 29 characters
 *     Sunday, 06-Nov-94 08:49:37 GMT   RFC 850
 *     Sun Nov  6 08:49:37 1994         asctime, of 24 characters
 *
 * Names and `GMT` are case-sensitive. The name of the day must be valid, but it is not compared with the date. A leap
 * second (`:60`) is the first second of the next minute. A year of two digits is the latest one that is not more than
 * 50 years after `now`.
 *
 * @param now - ms since 1970
 * @returns ms since 1970, or `undefined` for any other text
 */
export function readHttpDate(text: string, now: number = Date.now()): number | undefined {
  if (text.length === 29) return readFixdate(text)
  if (text.length === 24) return readAsctime(text)
  return readRfc850(text, now)
}

function readFixdate(text: string): number | undefined {
  if (text.slice(3, 5) !== ', ' || text[7] !== ' ' || text[11] !== ' ' || text[16] !== ' ') return undefined
  if (!dayNames.includes(text.slice(0, 3)) || text.slice(25) !== ' GMT') return undefined
  return moment(digits(text, 12, 16), text.slice(8, 11), digits(text, 5, 7), text.slice(17, 25))
}

function readAsctime(text: string): number | undefined {
  if (text[3] !== ' ' || text[7] !== ' ' || text[10] !== ' ' || text[19] !== ' ') return undefined
  if (!dayNames.includes(text.slice(0, 3))) return undefined
  const day = text[8] === ' ' ? digits(text, 9, 10) : digits(text, 8, 10)
  return moment(digits(text, 20, 24), text.slice(4, 7), day, text.slice(11, 19))
}

function readRfc850(text: string, now: number): number | undefined {
  const rest = text.length - 24
  // The shortest name of a day has 6 letters, the longest 9.
  if (rest < 6 || rest > 9 || !longDayNames.includes(text.slice(0, rest))) return undefined
  const date = text.slice(rest)
  if (!date.startsWith(', ') || date[4] !== '-' || date[8] !== '-' || date[11] !== ' ' || !date.endsWith(' GMT'))
    return undefined
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + 50)
  const last = limit.getUTCFullYear()
  const year = last - ((last - digits(date, 9, 11)) % 100)
  const at = (inYear: number) => moment(inYear, date.slice(5, 8), digits(date, 2, 4), date.slice(12, 20))
  const ms = at(year)
  return year === last && ms !== undefined && ms > limit.getTime() ? at(year - 100) : ms
}

/** Returns the moment of a date and a time of day, `08:49:37`; `undefined` if one of them does not exist. */
function moment(year: number, monthName: string, day: number, time: string): number | undefined {
  const month = months.indexOf(monthName)
  const [hour, minute, second] = [digits(time, 0, 2), digits(time, 3, 5), digits(time, 6, 8)]
  if (month === -1 || time[2] !== ':' || time[5] !== ':') return undefined
  // A comparison with NaN is false.
  if (!(year >= 0 && day >= 1 && hour < 24 && minute < 60 && second <= 60)) return undefined
  // `Date.UTC` interprets the years 0 to 99 as 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  // `Date` moves a day that the month does not have to the next month.
  return date.getUTCDate() === day ? date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 : undefined
}

/** Returns the number that the characters from `start` to `end` represent, or NaN if one of them is not a digit. */
function digits(text: string, start: number, end: number): number {
  let number = 0
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    number = number * 10 + digit
  }
  return number
}
