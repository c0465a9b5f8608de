// What each app is called when it is installed, and where it starts.
export const APPS = {
  patron: {
    name: "Last Light",
    start: "/patron",
    background: "#150f19",
    more: {
      description: "Scan the code at the door, check in, and see your night; also without signal.",
      lang: "en",
      categories: ["entertainment", "lifestyle"],
      shortcuts: [
        { name: "Scan to check in", url: "/patron/scan" },
        { name: "My code", url: "/patron/pass" },
        { name: "Activity", url: "/patron/activity" },
      ],
    },
  },
  staff: { name: "Last Light Staff", start: "/staff", background: "#0b100e" },
  door: { name: "Last Light Door", start: "/staff/door", background: "#0b100e", mark: "staff" },
  management: { name: "Last Light Management", start: "/manage", background: "#0a0f12" },
  owner: { name: "Last Light Owner", start: "/owner", background: "#040404" },
  platform: { name: "Last Light Platform", start: "/platform", background: "#0d0d13" },
  payee: { name: "Last Light Payee", start: "/payee", background: "#0f0e0b" },
};
