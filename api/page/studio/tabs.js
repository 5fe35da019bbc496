// The page's tabs tell each other when jobs came or went.
const channel = new BroadcastChannel("darkroom.jobs");

export const tellTabs = () => channel.postMessage("changed");

export const onTold = (hear) => channel.addEventListener("message", hear);
