// Numbers and times as people read them.
import { texts } from "texts";

const clock = new Intl.DateTimeFormat(texts.locale, { hour: "2-digit", minute: "2-digit" });
const exactClock = new Intl.DateTimeFormat(texts.locale, { timeStyle: "medium" });
const rounded = new Intl.NumberFormat(texts.locale, { maximumFractionDigits: 1 });
const whole = new Intl.DateTimeFormat(texts.locale, { dateStyle: "medium", timeStyle: "short" });

export const figure = (number) => rounded.format(number);
export const timeOf = (moment) => clock.format(new Date(moment));
export const exactTimeOf = (moment) => exactClock.format(new Date(moment));
export const dateOf = (moment) => whole.format(new Date(moment));

export function ago(moment, now = Date.now()) {
  const seconds = (now - new Date(moment)) / 1000;
  if (seconds < 60) return texts.time.now;
  if (seconds < 3600) return texts.time.minutes(Math.floor(seconds / 60));
  if (seconds < 86_400) return texts.time.hours(Math.floor(seconds / 3600));
  return texts.time.days(Math.floor(seconds / 86_400));
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return texts.ops.none;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function bytes(count) {
  if (!count) return texts.ops.none;
  const gigabytes = count / 2 ** 30;
  return gigabytes >= 1 ? `${gigabytes.toFixed(1)} GB` : `${Math.round(count / 2 ** 20)} MB`;
}

export const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
