package adobemedia

import "github.com/understudy-suite/understudy/internal/contract"

// The params that identify a caller.
const (
	suiteKey = "analytics.reportSuite"
	orgKey   = "visitor.marketingCloudOrgId"
)

// downloadedKey marks a session that was played offline.
const downloadedKey = "media.downloaded"

// sessionParams are the params of sessionStart. Eight are required: all pages
// agree, and the length of the published schema confirms it. The pages on single
// variables call streamType required too, but most players never send it.
var sessionParams = []contract.Param{
	{Name: "analytics.trackingServer", Need: contract.Required, Example: "sample.sc.omtrdc.net", Cite: citeSessions, Doc: "The Analytics server."},
	{Name: suiteKey, Need: contract.Required, Example: "sample.rsid", Cite: citeSessions, Doc: "The report suite."},
	{Name: orgKey, Need: contract.Required, Example: "1234567890ABCDEF12345678@AdobeOrg", Cite: citeSessions, Doc: "The organisation. A table called it optional until 2019, and the schema of 2018 required it already."},
	{Name: "media.id", Need: contract.Required, Example: "MA API Sample Player", Cite: citeSessions, Doc: "The content's id."},
	{Name: "media.length", Type: contract.Number, Need: contract.Required, Example: "60.39333333333333", Cite: citeSessions, Doc: "Its length in seconds; 86400 for live content without a known one."},
	{Name: "media.contentType", Need: contract.Required, Example: "VOD", Cite: citeSessions, Doc: "VOD, Live, Linear, podcast or any other text."},
	{Name: "media.playerName", Need: contract.Required, Example: "sample-html5-api-player", Cite: citeSessions, Doc: "The player."},
	{Name: "media.channel", Need: contract.Required, Example: "sample-channel", Cite: citeSessions, Doc: "The channel."},
	{Name: "analytics.enableSSL", Type: contract.Boolean, Cite: citeSessions, Doc: "Whether Analytics is reached over TLS."},
	{Name: "analytics.visitorId", Cite: citeSessions, Doc: "A visitor id of the customer's own. It may be empty."},
	{Name: "analytics.aid", Cite: citeParameters, Doc: "The older visitor id of Analytics."},
	{Name: "analytics.optOutServerSideForwarding", Type: contract.Boolean, Cite: citeParameters, Doc: "Whether the data must not be forwarded."},
	{Name: "analytics.optOutShare", Type: contract.Boolean, Cite: citeParameters, Doc: "Whether the data must not be shared."},
	{Name: "visitor.marketingCloudUserId", Cite: citeParameters, Doc: "The Experience Cloud id."},
	{Name: "visitor.aamLocationHint", Type: contract.Integer, Cite: citeParameters, Doc: "The region of Audience Manager."},
	{Name: customerIDs, Type: contract.Object, Cite: citeParameters, Doc: "Ids of the customer's own by their kind, each {id, authState}; authState is 0, 1 or 2."},
	{Name: "appInstallationId", Cite: citeParameters, Doc: "The installation, from which the service makes an Experience Cloud id."},
	{Name: "media.name", Cite: citeSessions, Doc: "The content's name."},
	{Name: "media.streamType", Cite: citeVariables, Doc: "video or audio."},
	{Name: "media.resume", Type: contract.Boolean, Cite: citeParameters, Doc: "Whether the viewer goes on where an earlier session ended."},
	{Name: downloadedKey, Type: contract.Boolean, Cite: citeDownloaded, Doc: "Whether the session was played offline: true with an array only."},
	{Name: "media.sdkVersion", Cite: citeSessions, Doc: "The player's version."},
	{Name: "media.libraryVersion", Cite: citeParameters, Doc: "The version of the library that sends."},
	{Name: "media.publisher", Cite: citeVariables, Doc: "The publisher."},
	{Name: "media.show", Cite: citeParameters, Doc: "The show."},
	{Name: "media.season", Cite: citeParameters, Doc: "The season."},
	{Name: "media.episode", Cite: citeParameters, Doc: "The episode."},
	{Name: "media.assetId", Cite: citeParameters, Doc: "The asset."},
	{Name: "media.genre", Cite: citeParameters, Doc: "The genre."},
	{Name: "media.firstAirDate", Cite: citeParameters, Doc: "When it was first on television."},
	{Name: "media.firstDigitalDate", Cite: citeParameters, Doc: "When it was first on any digital channel."},
	{Name: "media.rating", Cite: citeParameters, Doc: "The rating."},
	{Name: "media.originator", Cite: citeParameters, Doc: "Who made it."},
	{Name: "media.network", Cite: citeParameters, Doc: "The network."},
	{Name: "media.showType", Cite: citeParameters, Doc: "0 for an episode to 3; any text is taken."},
	{Name: "media.adLoad", Cite: citeParameters, Doc: "The kind of ads."},
	{Name: "media.pass.mvpd", Cite: citeParameters, Doc: "Who signed the viewer in."},
	{Name: "media.pass.auth", Cite: citeParameters, Doc: "Whether the viewer is signed in."},
	{Name: "media.dayPart", Cite: citeParameters, Doc: "The time of the day."},
	{Name: "media.feed", Cite: citeParameters, Doc: "The feed."},
	{Name: "media.streamFormat", Cite: citeParameters, Doc: "HD or SD."},
	{Name: "media.artist", Cite: citeVariables, Doc: "The artist, of audio."},
	{Name: "media.album", Cite: citeVariables, Doc: "The album, of audio."},
	{Name: "media.label", Cite: citeVariables, Doc: "The label, of audio."},
	{Name: "media.author", Cite: citeVariables, Doc: "The author, of audio."},
	{Name: "media.station", Cite: citeVariables, Doc: "The station, of audio."},
}
